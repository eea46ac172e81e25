"""Pictures in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.data.cache import cache_folder, draft
from askwell.data.digest import of_parts, of_texts
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Named
from askwell.data.pictures import PicturePool, in_threads
from askwell.errors import BadData

__all__ = ["ImageFolderPool", "listed", "natural"]

SAMPLE = 1000
ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"))


class ImageFolderPool(PicturePool):
    """The pictures below a folder, in natural order; a key is the path below the folder.

    names   which pictures, as paths below the folder; all that are there unless given
    digest  of all names and sizes, and of the content of 1,000 pictures, spaced evenly; of up to 1,000: of all content
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

    remedy: ClassVar[str] = (
        "; leave it out: corrupt='skip' (--corrupt skip) when the folder is loaded, "
        "project.remove (askwell edit remove) once there is a project"
    )

    def __init__(
        self,
        path: str | Path,
        names: Sequence[str] | None = None,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        self.path = Path(path)
        keys = Named(listed(self.path) if names is None else names, f"pictures of {path}")
        super().__init__(keys, size=size, fit_on=fit_on, features=features, cache=cache, like=like)

    @cached_property
    def digest(self) -> str:
        """Hash of names, sizes and bytes; read again only when a name, a size or a time of change differs."""
        stamp = of_parts("sampled", self._origin, self.versions)[:32]
        return _remembered(self._cache, stamp) or self._hashed(stamp)

    @cached_property
    def versions(self) -> NDArray[np.int64]:
        """Size and time of change of every file, (N, 2)."""
        return np.array([self._version(name) for name in self.keys(range(len(self)))], np.int64)

    @cached_property
    def _origin(self) -> str:
        return of_texts([str(self.path.resolve()), *self.keys(range(len(self)))])

    @property
    def _content(self) -> str:
        return self.digest if len(self) <= SAMPLE else of_parts(self.digest, self.versions)

    def _version(self, name: str) -> tuple[int, int]:
        try:
            found = os.stat(f"{self.path}/{name}")
        except OSError as error:
            raise BadData(f"picture {name!r} cannot be read: {error.strerror}{self.remedy}", got=name) from error
        return found.st_size, found.st_mtime_ns

    def _hashed(self, stamp: str) -> str:
        """Content stands for a picture of the sample, its size for every other one."""
        words = [str(size) for size in self.versions[:, 0].tolist()]
        sample = np.unique(np.linspace(0, len(self) - 1, min(SAMPLE, len(self))).round().astype(np.int64)).tolist()
        for position, word in zip(sample, in_threads(self._body, sample), strict=True):
            words[position] = word
        names = self.keys(range(len(self)))
        digest = of_texts(word for pair in zip(names, words, strict=True) for word in pair)
        _remember(self._cache, stamp, digest)
        return digest

    def _body(self, position: int) -> str:
        return _hash(self._source(position))

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
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS and (entry.is_file() or entry.is_symlink()):
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
