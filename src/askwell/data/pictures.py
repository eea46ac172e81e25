"""Encoded pictures: each is decoded once, to one size, when it is first needed, into a file of the cache."""

from __future__ import annotations

import logging
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Items, Mode
from askwell.data.arrays import stack
from askwell.data.cache import cache_folder
from askwell.data.digest import of_parts
from askwell.data.features import principal
from askwell.data.images import form_of, layout_of, small
from askwell.data.keyed import Describe, KeyedPool, Raw
from askwell.data.keys import Keys
from askwell.data.lazy import LazyRows
from askwell.errors import BadData, InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from askwell.data.decoded import Decoded

__all__ = ["Look", "PicturePool", "broken", "in_threads", "look_of", "opened"]

log = logging.getLogger("askwell")

R = TypeVar("R")
T = TypeVar("T")
Source = str | Path | IO[bytes]
LARGEST = 224
GROUP = 64
GROUP_BYTES = 1 << 20


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

    look    the common shape; the first picture's, its longer side at most 224, unless it is given
    remedy  what a message about a picture that cannot be read adds
    `item` opens one picture. A batch decodes, in threads, what it needs and no batch or run before has decoded;
    features decode all, O(N). What is decoded stays in the cache.
    """

    kind: ClassVar[str] = "pictures"
    fitted: ClassVar[int] = 10_000
    remedy: ClassVar[str] = ""

    def __init__(
        self,
        keys: Keys,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        super().__init__(keys, fit_on, features, cache, like)
        self.look: Look = like.look if isinstance(like, PicturePool) else look_of(self.item(0), size)
        self.form = form_of((len(keys), *self.look.shape))

    @property
    @abstractmethod
    def versions(self) -> NDArray[np.int64]:
        """(N, 2), none of them two zeros: what each picture is decoded from. It is decoded again when they differ."""

    @property
    @abstractmethod
    def _origin(self) -> str:
        """Where these pictures come from, in this order: names their file in the cache."""

    @abstractmethod
    def _source(self, position: int) -> Source: ...

    def _name(self, position: int) -> str:
        return self.keys([position])[0]

    def item(self, position: int) -> Image:
        """The picture in its full size."""
        return self._opened(position)

    def items(self, mode: Mode) -> Items:
        return self._items

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made pictures (m, C, H, W) in [0, 1]."""
        return stack(payloads, self.form.shape)

    @cached_property
    def _items(self) -> Decoded:
        from askwell.data import tensors
        from askwell.data.decoded import Decoded

        return Decoded(self._rows, getattr(tensors, layout_of(self._rows.shape)))

    @cached_property
    def _rows(self) -> LazyRows:
        """The decoded pictures, (N, H, W) or (N, H, W, 3)."""
        name = of_parts("pictures", repr(self.look), self._origin)
        path = cache_folder(self._cache) / f"pictures-{name[:32]}.rows"
        rows = LazyRows(path, (len(self), *self.look.shape), self.versions, self._decoded)
        log.info("%d of %d pictures are decoded, the others follow when they are needed", rows.made, len(self))
        return rows

    def _decoded(self, positions: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        shares = -(-len(positions) // (4 * workers()))
        step = max(1, min(GROUP, shares, GROUP_BYTES // prod(self.look.shape)))
        groups = [positions[start : start + step].tolist() for start in range(0, len(positions), step)]
        return in_threads(self._block, groups)

    def _block(self, positions: list[int]) -> NDArray[np.uint8]:
        longest = max(self.look.height, self.look.width)
        return np.stack([self.look.array(self._opened(position, longest)) for position in positions])

    def _opened(self, position: int, size: int | None = None) -> Image:
        return opened(self._source(position), self._name(position), size, self.remedy)

    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw:
        chosen = np.arange(len(self))[positions]
        return small(self._rows.want(chosen), chosen)

    def _raw_of(self, payloads: Sequence[Any]) -> Raw:
        return small(self.rows_of(payloads).numpy(), slice(None))

    def _fit(self, candidates: Raw) -> Describe:
        return principal(candidates)


def opened(source: Source, name: str, size: int | None = None, remedy: str = "") -> Image:
    """One picture, read whole and upright; an unreadable one raises `BadData` with its name and the remedy.

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
        raise BadData(f"picture {name!r} cannot be read: {_reason(error)}{remedy}", got=name) from error


def look_of(first: Image, size: int | tuple[int, int] | None) -> Look:
    """The common shape: `size` (height, width) or one number for both; else the first picture's, at most 224 long."""
    grey = first.mode in ("1", "L", "LA", "F") or first.mode.startswith("I")
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


def in_threads(work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """Results in the order of the tasks; few are in flight, so that memory stays small. One task needs no thread."""
    if len(tasks) < 2:
        yield from map(work, tasks)
        return
    ahead = 8 * workers()
    with ThreadPoolExecutor(workers()) as executor:
        for start in range(0, len(tasks), ahead):
            yield from executor.map(work, tasks[start : start + ahead])


def workers() -> int:
    """Threads that decode."""
    return os.cpu_count() or 1


def _colours(picture: Image, grey: bool) -> Image:
    """The picture in grey or in colour, transparency dropped."""
    from PIL import Image

    picture.info.pop("transparency", None)
    if picture.mode == "LAB":
        picture = picture.convert("RGB")
    if picture.mode.startswith("I"):
        picture = Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return picture.convert("L" if grey else "RGB")


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is not a picture, or of a kind that Pillow does not know"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
