"""Pictures in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.cache import cache_folder, draft
from askwell.data.digest import of_texts
from askwell.data.keys import Named
from askwell.data.pictures import PicturePool, in_threads
from askwell.errors import BadData

__all__ = ["ImageFolderPool", "listed", "natural"]

ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"))


class ImageFolderPool(PicturePool):
    """The pictures below a folder, in natural order; a key is the path below the folder.

    names  which pictures, as paths below the folder; all that are there unless given
    Listing reads no picture but the first; 100,000 names take about a second.

    >>> import tempfile
    >>> from PIL import Image
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("p10.png", "p2.png"):
    ...     Image.new("L", (5, 4)).save(f"{folder}/{name}")
    >>> pool = ImageFolderPool(folder)
    >>> pool.keys([0, 1]), pool.form.shape
    (['p2.png', 'p10.png'], (1, 4, 5))
    """

    def __init__(
        self,
        path: str | Path,
        names: Sequence[str] | None = None,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
    ) -> None:
        self.path = Path(path)
        keys = Named(listed(self.path) if names is None else names, f"pictures of {path}")
        super().__init__(keys, size=size, fit_on=fit_on, features=features, cache=cache)

    @cached_property
    def digest(self) -> str:
        """Hash of names and bytes; read again only when a name, a size or a time of change differs."""
        names = self.keys(range(len(self)))
        stats = [os.stat(self.path / name) for name in names]
        stamp = of_texts(
            [str(self.path.resolve()), *(f"{n}|{s.st_size}|{s.st_mtime_ns}" for n, s in zip(names, stats, strict=True))]
        )
        return _remembered(self._cache, stamp[:32]) or self._hashed(names, stamp[:32])

    def _hashed(self, names: Sequence[str], stamp: str) -> str:
        bodies = in_threads(lambda position: _hash(self.path / names[position]), range(len(names)))
        digest = of_texts(word for pair in zip(names, bodies, strict=True) for word in pair)
        _remember(self._cache, stamp, digest)
        return digest

    def _source(self, position: int) -> Path:
        return self.path / self._name(position)


def listed(folder: Path) -> list[str]:
    """Pictures below the folder as relative paths with slashes, in natural order; hidden ones are left out."""
    found = sorted(_walk(folder, ""), key=natural)
    if not found:
        raise BadData(f"folder {folder} holds no pictures ({', '.join(sorted(ENDINGS))})", got=folder)
    return found


def natural(name: str) -> tuple[list[str | int], str]:
    """Sorts "p2" before "p10".

    >>> sorted(["p10", "p2", "P1"], key=natural)
    ['P1', 'p2', 'p10']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _walk(folder: Path, below: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    here = os.path.realpath(folder)
    if here in seen:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), f"{below}{entry.name}/", seen | {here})
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS:
                yield below + entry.name


def _hash(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=32).hexdigest()


def _remembered(cache: Path | None, stamp: str) -> str | None:
    try:
        return (cache_folder(cache) / f"folder-{stamp}.txt").read_text()
    except OSError:
        return None


def _remember(cache: Path | None, stamp: str, digest: str) -> None:
    try:
        with draft(cache_folder(cache) / f"folder-{stamp}.txt") as file:
            file.write(digest.encode())
    except OSError:
        return
