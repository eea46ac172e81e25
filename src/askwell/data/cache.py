"""The cache: fixed features, kept by content hash so that they are made once; decoded pictures lie in `LazyRows`.

Every file appears whole or not at all. What cannot be written (a full disk, a read-only home) is held in memory.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cache_folder", "cache_size"]

log = logging.getLogger("askwell")

Blocks = Callable[[], Iterator[NDArray[Any]]]
"""Makes the rows of an array, block by block."""


def cache_folder(path: str | Path | None = None) -> Path:
    """Where the cache lies: `path` if given, else $XDG_CACHE_HOME/askwell, else ~/.cache/askwell. It need not exist.

    >>> cache_folder("runs/cache").as_posix()
    'runs/cache'
    """
    if path is not None:
        return Path(path)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "askwell"


def cache_size(path: str | Path | None = None) -> int:
    """Bytes that the cache takes on the disk, holes not counted; 0 when there is none.

    >>> cache_size("no/such/folder")
    0
    """
    folder = cache_folder(path)
    return sum(_taken(file.stat()) for file in folder.glob("**/*") if file.is_file())


def kept(folder: Path | None, name: str, n: int, blocks: Blocks) -> NDArray[Any]:
    """The n rows of this name from the cache, memory-mapped; made from `blocks` and written when they are not there."""
    path = cache_folder(folder) / f"{name}.npy"
    found = _read(path, n)
    if found is not None:
        return found
    try:
        with draft(path) as file:
            _write(file, n, blocks())
        return np.load(path, mmap_mode="c")  # type: ignore[no-any-return]
    except OSError as error:
        log.warning("cannot keep %s (%s): it is held in memory", path, error.strerror or error)
        return gather(n, blocks())


def gather(n: int, blocks: Iterator[NDArray[Any]]) -> NDArray[Any]:
    """The n rows in memory, with no second copy of them."""
    first = next(blocks)
    rows = np.empty((n, *first.shape[1:]), first.dtype)
    rows[: len(first)] = first
    done = len(first)
    for block in blocks:
        rows[done : done + len(block)] = block
        done += len(block)
    return rows


@contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when the block ends well, and is removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _taken(stat: os.stat_result) -> int:
    return min(stat.st_size, 512 * getattr(stat, "st_blocks", stat.st_size))


def _read(path: Path, n: int) -> NDArray[Any] | None:
    """The cached rows; None when the file is not there or is damaged, for it can be made again."""
    try:
        rows: NDArray[Any] = np.load(path, mmap_mode="c")
    except (OSError, ValueError, EOFError):
        return None
    return rows if len(rows) == n else None


def _write(file: IO[bytes], n: int, blocks: Iterator[NDArray[Any]]) -> None:
    """Rows in .npy format, block by block in constant memory; a plain write, so that a full disk is an error."""
    first = next(blocks)
    header = {"shape": (n, *first.shape[1:]), "fortran_order": False, "descr": first.dtype.str}
    np.lib.format.write_array_header_2_0(file, header)
    file.write(np.ascontiguousarray(first).data)
    for block in blocks:
        file.write(np.ascontiguousarray(block).data)
