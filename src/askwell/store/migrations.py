"""Numbered changes of the schema; each is applied once and recorded. Never edit one that was released: add the next."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from askwell.errors import NewerSchema, ProjectError
from askwell.store.connection import Connections
from askwell.store.queue import rebuild
from askwell.store.schema import DERIVED, EDITS, EVIDENCE, FIRST, triggers

__all__ = ["APPLICATION", "MIGRATIONS", "migrate"]

APPLICATION = 0x41534B57
"""Marks a SQLite file as a label store: "ASKW"."""
LIST = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL) STRICT"


def m001_evidence(connection: sqlite3.Connection) -> None:
    """What was planned and said."""
    for statement in EVIDENCE:
        connection.execute(statement)


def m002_append_only(connection: sqlite3.Connection) -> None:
    """Evidence can be neither changed nor deleted."""
    for statement in triggers(FIRST):
        connection.execute(statement)


def m003_queue(connection: sqlite3.Connection) -> None:
    """What is derived from the evidence, filled by replay."""
    for statement in DERIVED:
        connection.execute(statement)
    rebuild(connection)


def m004_edits(connection: sqlite3.Connection) -> None:
    """How the project itself was changed: items added and removed, classes."""
    for statement in (EDITS, *triggers(["edit"])):
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_evidence,
    m002_append_only,
    m003_queue,
    m004_edits,
)


def migrate(connections: Connections, create: bool) -> None:
    """Brings the file to the newest schema; refuses a newer one, another program's file, and an empty one."""
    with connections.read() as connection:
        missing = _missing(connection, connections.path, create)
    if not missing:
        return
    if connections.mode == "ro":
        raise ProjectError(
            f"{connections.path} was written by an older askwell: open it once with mode='rw' to bring it up to date"
        )
    with connections.write() as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(LIST)
        for number in _missing(connection, connections.path, create):
            change = MIGRATIONS[number - 1]
            change(connection)
            connection.execute("INSERT INTO migration VALUES (?, ?, ?)", (number, change.__name__, time.time()))
    connections.checkpoint()


def _missing(connection: sqlite3.Connection, path: Path, create: bool) -> list[int]:
    done = _applied(connection, path, create)
    newer = [name for number, name in done.items() if number > len(MIGRATIONS)]
    if newer:
        raise NewerSchema(
            f"{path} was written by a newer askwell (it has {', '.join(newer)}): update askwell to open it"
        )
    return [number for number in range(1, len(MIGRATIONS) + 1) if number not in done]


def _applied(connection: sqlite3.Connection, path: Path, create: bool) -> dict[int, str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        if not create:
            raise ProjectError(f"{path} is empty and no label store")
        return {}
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise ProjectError(f"{path} is a SQLite file of another program and no label store")
    return dict(connection.execute("SELECT number, name FROM migration ORDER BY number"))
