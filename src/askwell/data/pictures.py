"""Encoded pictures: decoded once, to one size, into a memory map in the cache."""

from __future__ import annotations

import logging
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Items, Mode
from askwell.data.arrays import stack
from askwell.data.cache import kept
from askwell.data.digest import of_parts
from askwell.data.features import principal
from askwell.data.images import form_of, layout_of, small
from askwell.data.keyed import Describe, KeyedPool, Raw
from askwell.data.keys import Keys
from askwell.errors import BadData, InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from askwell.data.tensors import Gathered

__all__ = ["Look", "PicturePool", "broken", "in_threads", "look_of", "opened"]

log = logging.getLogger("askwell")

R = TypeVar("R")
Source = str | Path | IO[bytes]
LARGEST = 224
GROUP = 64


@dataclass(frozen=True)
class Look:
    """The one shape that all pictures of a pool are brought to: stretched, and grey or in colour."""

    height: int
    width: int
    grey: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.height, self.width) if self.grey else (self.height, self.width, 3)

    def array(self, picture: Image) -> NDArray[np.uint8]:
        """Pixels (H, W) or (H, W, 3)."""
        from PIL import Image

        picture = _colours(picture, self.grey)
        if picture.size != (self.width, self.height):
            picture = picture.resize((self.width, self.height), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(picture, np.uint8)


class PicturePool(KeyedPool):
    """Pictures in files or in memory; a subclass says where they are.

    look  the common shape; the first picture's, its longer side at most 224, unless it is given
    `item` opens one picture. Tensors and features decode all of them once, in threads, O(N); later runs read the cache.
    """

    fitted: ClassVar[int] = 10_000

    def __init__(
        self,
        keys: Keys,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
    ) -> None:
        super().__init__(keys, fit_on, features, cache)
        self.look = look_of(opened(self._source(0), self._name(0)), size)
        self.form = form_of((len(keys), *self.look.shape))

    @abstractmethod
    def _source(self, position: int) -> Source: ...

    def _name(self, position: int) -> str:
        return self.keys([position])[0]

    def item(self, position: int) -> Image:
        """The picture in its full size."""
        return opened(self._source(position), self._name(position))

    def items(self, mode: Mode) -> Items:
        return self._items

    @cached_property
    def array(self) -> NDArray[np.uint8]:
        """All pictures decoded, (N, H, W) or (N, H, W, 3), memory-mapped."""
        name = of_parts("pictures", repr(self.look), self.digest)
        return kept(self._cache, f"pictures-{name[:32]}", len(self), self._decoded)

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made pictures (m, C, H, W) in [0, 1]."""
        return stack(payloads, self.form.shape)

    @cached_property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        return tensors.Gathered(tensors.shared(self.array), getattr(tensors, layout_of(self.array.shape)))

    def _decoded(self) -> Iterator[NDArray[np.uint8]]:
        log.info("decoding %d pictures to %s, once", len(self), self.look.shape)
        return in_threads(self._block, range(0, len(self), GROUP))

    def _block(self, start: int) -> NDArray[np.uint8]:
        return np.stack([self._pixels(position) for position in range(start, min(start + GROUP, len(self)))])

    def _pixels(self, position: int) -> NDArray[np.uint8]:
        longest = max(self.look.height, self.look.width)
        return self.look.array(opened(self._source(position), self._name(position), longest))

    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw:
        return small(self.array, positions)

    def _raw_of(self, payloads: Sequence[Any]) -> Raw:
        return small(self.rows_of(payloads).numpy(), slice(None))

    def _fit(self, candidates: Raw) -> Describe:
        return principal(candidates)


def opened(source: Source, name: str, size: int | None = None) -> Image:
    """One picture, read whole and upright; an unreadable one raises `BadData` with its name.

    size  the longest side wanted: a large JPEG is decoded at a fraction of its size, never below it
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(source) as picture:
            if size is not None:
                picture.draft(None, (size, size))
            picture.load()
            return ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise BadData(f"picture {name!r} cannot be read: {_reason(error)}", got=name) from error


def look_of(first: Image, size: int | tuple[int, int] | None) -> Look:
    """The common shape: `size` (height, width) or one number for both; else the first picture's, at most 224 long."""
    grey = first.mode in ("1", "L", "LA") or first.mode.startswith("I")
    if size is None:
        shrink = max(1.0, max(first.size) / LARGEST)
        width, height = (max(1, round(side / shrink)) for side in first.size)
        return Look(height, width, grey)
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise InputError(f"size must be one or two whole numbers of at least 1, got {size!r}", got=size)
    return Look(height, width, grey)


def broken(sources: Sequence[Source], names: Sequence[str]) -> list[int]:
    """Positions of the pictures that cannot be read; decodes every one, in threads."""

    def bad(position: int) -> int:
        try:
            opened(sources[position], names[position])
        except BadData:
            return position
        return -1

    return [position for position in in_threads(bad, range(len(sources))) if position >= 0]


def in_threads(work: Callable[[int], R], tasks: Sequence[int]) -> Iterator[R]:
    """Results in the order of the tasks; few are in flight, so that memory stays small."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as executor:
        for start in range(0, len(tasks), 8 * workers):
            yield from executor.map(work, tasks[start : start + 8 * workers])


def _colours(picture: Image, grey: bool) -> Image:
    from PIL import Image

    if picture.mode.startswith("I"):
        picture = Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return picture.convert("L" if grey else "RGB")


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is not a picture, or of a kind that Pillow does not know"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
