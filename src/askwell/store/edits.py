"""Changes of the project itself: items that were added and removed, and its classes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.oracle import Annotation
from askwell.errors import StaleBasis
from askwell.store import log
from askwell.store.ballot import REMOVED
from askwell.store.items import check_range, edited
from askwell.store.packing import canonical, pack
from askwell.store.plan import grow
from askwell.store.record import RECORD

__all__ = ["check_known", "extend", "remove", "write"]

QUESTIONS = "SELECT id FROM question WHERE item IN (SELECT value FROM json_each(?)) ORDER BY id"


def check_known(connection: sqlite3.Connection, known: int | None) -> None:
    """Raises `StaleBasis` where there are other edits than the caller knew."""
    if known is not None and (found := edited(connection)) != known:
        raise StaleBasis(f"the project has {found} edits, and this was decided when it had {known}: decide again")


def write(connection: sqlite3.Connection, kind: str, body: Mapping[str, Any]) -> int:
    """Appends one edit and returns its number."""
    row = (time.time(), log.last(connection), kind, pack(body))
    made = connection.execute("INSERT INTO edit (at, seen, kind, body) VALUES (?, ?, ?, ?)", row)
    return int(made.lastrowid or 0)


def extend(
    connection: sqlite3.Connection, n: int, source: str, digest: str, labels: Mapping[int, Any], annotator: str
) -> range:
    """Adds n items behind all others, and the labels that came with them, by place among the new ones."""
    items = grow(connection, n, "data", source, digest)
    write(connection, "add", {"start": items.start, "n": n})
    for place, value in labels.items():
        said = Annotation(None, annotator, items[place], "label", value, cost=0.0)
        log.record(connection, said, volunteered=True, kind=RECORD)
    return items


def remove(
    connection: sqlite3.Connection, states: NDArray[np.uint8], items: NDArray[np.int64], annotator: str
) -> NDArray[np.int64]:
    """Takes items out for good and closes their questions; returns those that were still there.

    states  those before it; items: ascending positions
    """
    check_range(connection, items[[0, -1]].tolist() if len(items) else [])
    gone: NDArray[np.int64] = items[states[items] != REMOVED]
    if len(gone):
        write(connection, "remove", {"items": gone.tolist()})
        for (question,) in connection.execute(QUESTIONS, (canonical(gone.tolist()),)).fetchall():
            log.record(connection, Annotation(question, annotator, verb="close", cost=0.0), False, RECORD)
    return gone
