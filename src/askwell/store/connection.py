"""SQLite connections, one per thread, and what its errors mean to a person."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from askwell.errors import NotWritable, ProjectError

__all__ = ["Connections", "Mode"]

Mode = Literal["rw", "ro"]

BUSY = 30.0
REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk is full or failing",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_PERM: "the file or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "its folder is missing or read-only",
    sqlite3.SQLITE_BUSY: f"another program has held it for {BUSY:.0f} seconds",
    sqlite3.SQLITE_LOCKED: f"another program has held it for {BUSY:.0f} seconds",
}
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Connections:
    """The connections of one store file. A thread, and a process after a fork, gets its own."""

    def __init__(self, path: Path, mode: Mode, create: bool) -> None:
        """`create`: a missing file is made; its folder must exist."""
        self.path, self.mode = path, mode
        self._how = "ro" if mode == "ro" else "rwc" if create else "rw"
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One snapshot: everything read inside belongs to the same moment."""
        with self._spoken():
            yield from self._transaction("BEGIN")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all or nothing, on the disk when the block has ended."""
        if self.mode == "ro":
            raise NotWritable(f"{self.path} was opened read-only: open it with mode='rw' to record anything")
        with self._spoken():
            yield from self._transaction("BEGIN IMMEDIATE")

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """As `write`, without waiting for the disk: for leases, which are no evidence. The next `write` syncs both."""
        with self._spoken():
            connection = self._own()
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                with self.write():
                    yield connection
            finally:
                connection.execute("PRAGMA synchronous = FULL")

    def checkpoint(self) -> None:
        """Moves everything from the write-ahead log into the file itself."""
        with self._spoken():
            self._own().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Closes the connections of all threads of this process."""
        self._closed = True
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._own()
        connection.execute(begin)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _own(self) -> sqlite3.Connection:
        if self._closed:
            raise ProjectError(f"the store {self.path} is closed: open it again with open_store")
        known: tuple[int, sqlite3.Connection] | None = getattr(self._local, "known", None)
        if known is None or known[0] != os.getpid():
            known = self._local.known = (os.getpid(), self._connect())
            with self._lock:
                self._all.append(known[1])
        return known[1]

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._opened(f"mode={self._how}")
        except sqlite3.OperationalError:
            if self.mode == "rw" or Path(f"{self.path}-wal").exists():
                raise
            return self._opened("mode=ro&immutable=1")

    def _opened(self, how: str) -> sqlite3.Connection:
        where = f"file:{quote(str(self.path.absolute()))}?{how}"
        connection = sqlite3.connect(where, timeout=BUSY, isolation_level=None, check_same_thread=False, uri=True)
        try:
            if self.mode == "rw":
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if code in DAMAGED:
                raise ProjectError(
                    f"{self.path} is damaged or is no label store ({error}): restore it from a backup or an export"
                ) from error
            if code in REASONS:
                raise NotWritable(
                    f"cannot use {self.path}: {REASONS[code]}; what was recorded before is safe"
                ) from error
            raise
