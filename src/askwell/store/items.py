"""The state of every item as one array, kept up to date from the log's tail."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askwell.errors import Conflict, InputError
from askwell.store.ballot import ANSWERED, REMOVED, RESERVED, STATES, UNASKED, ballots
from askwell.store.log import last

__all__ = ["Items", "check_range", "edited", "refuse_reserved", "removed", "replay", "reserve", "reserved", "size"]

TOUCHED = """SELECT item FROM event WHERE seq > :event UNION SELECT item FROM question WHERE id > :question
    UNION SELECT question.item FROM event JOIN question ON question.id = event.question WHERE seq > :event"""
CODES = f"""SELECT item, state FROM standing WHERE item IN ({TOUCHED})
    UNION ALL SELECT item, {ANSWERED} FROM extra WHERE item IN ({TOUCHED})"""


def size(connection: sqlite3.Connection) -> int:
    """Number of items."""
    return int(connection.execute("SELECT ifnull(max(start + n), 0) FROM segment").fetchone()[0])


def edited(connection: sqlite3.Connection) -> int:
    """Number of edits."""
    return int(connection.execute("SELECT count(*) FROM edit").fetchone()[0])


def check_range(connection: sqlite3.Connection, items: Sequence[int]) -> None:
    """Raises `InputError` for items that the pool does not have."""
    n = size(connection)
    for item in items:
        if not 0 <= item < n:
            raise InputError(f"there is no item {item}: the pool has items 0 to {n - 1}", got=item)


def reserved(connection: sqlite3.Connection, role: str | None = None) -> NDArray[np.int64]:
    """Items that are never asked, of one role or of all, ascending; copies of other items belong to role "copy"."""
    rows = connection.execute("SELECT items FROM reserved WHERE ? IN (role, '')", (role or "",))
    parts = [np.frombuffer(blob, np.int64) for (blob,) in rows]
    if role in (None, "copy"):
        parts.append(_column(connection.execute("SELECT item FROM made WHERE role = 'copy'").fetchall()))
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def removed(connection: sqlite3.Connection, upto: int = 2**62) -> NDArray[np.int64]:
    """Items that had been taken out by event `upto`."""
    rows = connection.execute("SELECT body FROM edit WHERE kind = 'remove' AND seen <= ? ORDER BY id", (upto,))
    return np.array([item for (body,) in rows for item in json.loads(body)["items"]], np.int64)


def reserve(connection: sqlite3.Connection, states: NDArray[np.uint8], role: str, rows: NDArray[np.int64]) -> None:
    """Sets items apart, ascending positions; `states` are those before it."""
    found = connection.execute("SELECT items FROM reserved WHERE role = ?", (role,)).fetchone()
    if found:
        if found[0] != rows.tobytes():
            raise Conflict(f"{role!r} is reserved already, with other items")
        return
    check_range(connection, rows[[0, -1]].tolist() if len(rows) else [])
    taken = rows[states[rows] != UNASKED]
    if len(taken):
        raise Conflict(f"cannot reserve item {taken[0]} for {role!r}: it is {STATES[states[taken[0]]]}")
    connection.execute("INSERT INTO reserved VALUES (?, ?)", (role, rows.tobytes()))


def replay(connection: sqlite3.Connection, upto: int) -> NDArray[np.uint8]:
    """States as of an event, from the evidence alone. O(log)."""
    states = np.zeros(size(connection), np.uint8)
    for ballot in ballots(connection, upto):
        if ballot.asked:
            states[ballot.asked.item] = max(states[ballot.asked.item], ballot.state)
        for one in ballot.answers.values():
            if one.also or ballot.asked is None:
                states[one.item] = max(states[one.item], ANSWERED)
    states[reserved(connection)] = RESERVED
    states[removed(connection, upto)] = REMOVED
    return states


class Items:
    """A cache of states: `refresh` reads only what was said and asked since the last call."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._states = np.zeros(0, np.uint8)
        self._seen = {"event": 0, "question": 0}
        self._apart = (0, 0)
        self._removed = (0, np.empty(0, np.int64))
        self._lock = threading.Lock()

    def refresh(self, connection: sqlite3.Connection) -> NDArray[np.uint8]:
        """(len,) codes of `STATES`, read-only; inside the caller's transaction, before it writes."""
        with self._lock:
            states = np.zeros(max(size(connection), len(self._states)), np.uint8)
            states[: len(self._states)] = self._states
            touched = _column(connection.execute(TOUCHED, self._seen).fetchall())
            found = np.array(connection.execute(CODES, self._seen).fetchall(), np.int64).reshape(-1, 2)
            states[touched] = UNASKED
            np.maximum.at(states, found[:, 0], found[:, 1].astype(np.uint8))
            self._reserve(connection, states)
            self._remove(connection, states)
            self._seen = {"event": last(connection), "question": _newest(connection)}
            states.flags.writeable = False
            self._states = states
            return states

    def _reserve(self, connection: sqlite3.Connection, states: NDArray[np.uint8]) -> None:
        apart = connection.execute("SELECT (SELECT count(*) FROM reserved), (SELECT count(*) FROM made)").fetchone()
        if apart != self._apart:
            states[reserved(connection)] = RESERVED
            self._apart = apart

    def _remove(self, connection: sqlite3.Connection, states: NDArray[np.uint8]) -> None:
        known = edited(connection)
        if known != self._removed[0]:
            self._removed = known, removed(connection)
        states[self._removed[1]] = REMOVED


def refuse_reserved(states: NDArray[np.uint8], items: Sequence[int]) -> None:
    """Raises `Conflict` for items that are never asked."""
    for item in items:
        if states[item] == REMOVED:
            raise Conflict(f"item {item} was removed: it is never asked or labelled again")
        if states[item] == RESERVED:
            raise Conflict(
                f"item {item} is reserved (validation, test, aside or a copy): it is never asked or labelled"
            )


def _column(rows: list[tuple[int]]) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT ifnull(max(id), 0) FROM question").fetchone()[0])
