"""Rows that are made when they are first wanted, and kept in a sparse file of the cache."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.cache import draft

__all__ = ["LazyRows", "Make"]

log = logging.getLogger("askwell")

Positions = NDArray[np.int64]
Make = Callable[[Positions], Iterator[NDArray[np.uint8]]]
"""Makes the rows of these positions, in their order, block by block."""
WRITTEN = 4 << 20
PENDING = 64 << 20


class LazyRows:
    """Bytes (n, …); `want` makes the rows that are not there yet, O(rows made), and a pass over made rows is free.

    path      the file that keeps them from run to run; where it cannot be written, rows are held in memory
    versions  (n, 2) int64, none of them two zeros: what each row is made from; a row of another version is made again
    Safe between threads, and between processes: those that make the same rows write the same bytes. A kill loses at
    most the last 64 MiB.

    >>> import tempfile
    >>> versions = np.ones((4, 2), np.int64)
    >>> sevens = lambda positions: iter([np.full((len(positions), 3), 7, np.uint8)])
    >>> made = LazyRows(Path(tempfile.mkdtemp(), "rows"), (4, 3), versions, sevens)
    >>> made.want(np.array([2]))[2].tolist(), made.made, made.complete
    ([7, 7, 7], 1, False)
    """

    def __init__(self, path: Path, shape: tuple[int, ...], versions: NDArray[np.int64], make: Make) -> None:
        self.path, self.shape, self.versions, self._make = path, shape, versions, make
        self._lock = Lock()
        self._home = self._found_home()
        self._made = self._home.recorded(np.arange(shape[0]), versions)
        self.complete = bool(self._made.all())

    @property
    def made(self) -> int:
        """How many rows are there."""
        return int(self._made.sum())

    def want(self, positions: Positions) -> NDArray[np.uint8]:
        """Makes what is missing of these rows and returns all rows (n, …), to be read only; the unwanted may be zero.

        What fails to be made raises, and the rows before it are kept.
        """
        if self.complete:
            return self._home.rows
        with self._lock:
            try:
                self._fill(positions)
            except OSError as error:
                self._warn(error)
                self._home, self._made = InMemory(self.shape), np.zeros(self.shape[0], bool)
                self._fill(positions)
            if self._made.all():
                self._home.settle()
                self.complete = True
            return self._home.rows

    def _fill(self, positions: Positions) -> None:
        missing = np.unique(positions[~self._made[positions]])
        missing = missing[~self._found(missing)]
        start = 0
        try:
            for block in _larger(self._make(missing)):
                places = missing[start : start + len(block)]
                self._home.write(places, block, self.versions[places])
                start += len(block)
        finally:
            self._made[missing[:start]] = True

    def _found(self, missing: Positions) -> NDArray[np.bool_]:
        """Which of these rows another process has made in the meantime."""
        there = self._home.recorded(missing, self.versions[missing])
        self._made[missing[there]] = True
        return there

    def _found_home(self) -> OnDisk | InMemory:
        try:
            home = OnDisk(self.path, self.shape)
        except OSError as error:
            self._warn(error)
            return InMemory(self.shape)
        weakref.finalize(self, home.close)
        return home

    def _warn(self, error: OSError) -> None:
        log.warning("cannot keep %s (%s): it is held in memory", self.path, error.strerror or error)


class InMemory:
    """Rows in memory; pages that were never written take none."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.rows = np.zeros(shape, np.uint8)

    def write(self, positions: Positions, block: NDArray[np.uint8], versions: NDArray[np.int64]) -> None:
        self.rows[positions] = block

    def recorded(self, positions: Positions, versions: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.zeros(len(positions), bool)

    def settle(self) -> None:
        """There is nothing to record."""


class OnDisk:
    """Rows in a sparse file, and behind them the version of each row that is made, zero before.

    Rows are written, never stored through the map: so that a full disk is an error and not a signal. They are synced
    before their versions are written: after a kill or a power cut no version stands for a row that is not there.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.width = prod(shape[1:])
        self.behind = -(-prod(shape) // 16) * 16
        self._file = _opened(path, self.behind + 16 * shape[0])
        self.rows = np.memmap(self._file, np.uint8, "r", 0, shape)
        self._versions = np.memmap(self._file, np.int64, "r", self.behind, (shape[0], 2))
        self._pending: list[tuple[Positions, NDArray[np.int64]]] = []
        self._bytes = 0
        self._seen = False

    def write(self, positions: Positions, block: NDArray[np.uint8], versions: NDArray[np.int64]) -> None:
        self._place(positions, block, self.width, 0)
        self._look(positions[0], block[0])
        self._pending.append((positions, versions))
        self._bytes += block.nbytes
        if self._bytes >= PENDING:
            self.flush()

    def recorded(self, positions: Positions, versions: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((self._versions[positions] == versions).all(1))

    def flush(self) -> None:
        """Records the versions of the rows that were written since the last time."""
        if not self._pending:
            return
        os.fsync(self._file.fileno())
        positions, versions = map(np.concatenate, zip(*self._pending, strict=True))
        self._place(positions, versions, 16, self.behind)
        self._pending, self._bytes = [], 0

    def settle(self) -> None:
        """Records what was written; what cannot be recorded is made again in the next run."""
        try:
            self.flush()
        except OSError as error:
            log.warning("cannot record rows in the cache (%s): they will be made again", error.strerror or error)

    def close(self) -> None:
        """Records what was written, and closes the file; the map stays."""
        self.settle()
        self._file.close()

    def _look(self, position: int, row: NDArray[np.uint8]) -> None:
        """Refuses a file system that does not show in a map what is written to a file, as some over a network do."""
        if not self._seen and not np.array_equal(self.rows[position], row):
            raise OSError("its file system does not show in a map what is written to a file")
        self._seen = True

    def _place(self, positions: Positions, block: NDArray[Any], width: int, start: int) -> None:
        """Writes one piece for every run of positions."""
        cuts = np.flatnonzero(np.diff(positions) != 1) + 1
        for first, rows in zip(positions[np.r_[0, cuts]].tolist(), np.split(block, cuts), strict=True):
            body, at = rows.reshape(-1).view(np.uint8).data, start + first * width
            while len(body):
                written = os.pwrite(self._file.fileno(), body, at)
                body, at = body[written:], at + written


def _larger(blocks: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Blocks joined for fewer writes; when a block cannot be made, those before it come first."""
    held: list[NDArray[np.uint8]] = []
    try:
        for block in blocks:
            held.append(block)
            if sum(one.nbytes for one in held) >= WRITTEN:
                yield np.concatenate(held)
                held = []
    except Exception:
        if held:
            yield np.concatenate(held)
        raise
    if held:
        yield np.concatenate(held)


def _opened(path: Path, size: int) -> IO[bytes]:
    """The file, made anew where it is missing or of another size; only for reading where it may not be written."""
    for mode in ("r+b", "rb"):
        try:
            file = open(path, mode, buffering=0)  # noqa: SIM115 # the maps read it until the rows are gone
        except OSError:
            continue
        if os.fstat(file.fileno()).st_size == size:
            return file
        file.close()
    with draft(path) as new:
        new.truncate(size)
    return open(path, "r+b", buffering=0)
