"""Items of a map-style Dataset: anything with `len` and `[index]` that yields items or (item, label) pairs."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Items, Mode, Pool
from askwell.data.arrays import ArrayPool
from askwell.data.cache import cache_folder
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Keys
from askwell.data.read import Found
from askwell.data.texts import TextPool
from askwell.errors import BadData, BadShape

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from askwell.data.tensors import Gathered

__all__ = ["DatasetPool", "read_dataset"]

IN_MEMORY = 4 << 30


class MapStyle(Protocol):
    """A map-style Dataset."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class DatasetPool(ArrayPool):
    """Items that were read from a Dataset once, and, for training, a second Dataset that is called at every step.

    array  (N, …) the items without random transforms: all that scoring ever sees
    train  the same N items with random transforms, or None to train on the array; its label elements are dropped as
           they come. It is the one object that the pool holds and that may know labels: it is the user's own.
    """

    def __init__(
        self,
        array: NDArray[Any],
        train: MapStyle | None = None,
        keys: Sequence[str] | Keys | None = None,
        *,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        if train is not None and len(train) != len(array):
            raise BadData(f"the dataset for training has {len(train)} items, the other has {len(array)}")
        self._train = train
        super().__init__(array, keys, fit_on=fit_on, features=features, cache=cache, like=like)

    def items(self, mode: Mode) -> Items:
        return self._items if mode == "eval" or self._train is None else Called(self._train, self._items)


class Called:
    """Batches that are assembled by calling a Dataset; random transforms follow the given generator alone."""

    def __init__(self, dataset: MapStyle, like: Gathered) -> None:
        self.dataset, self.like = dataset, like

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Tensor]]:
        """Yields (place among `positions`, at most `size` items); without `rng` the transforms are always the same."""
        for start in range(0, len(positions), size):
            where = slice(start, min(start + size, len(positions)))
            with seeded(rng):
                rows = [_array(pair(self.dataset[i])[0]) for i in positions[where].tolist()]
            yield where, self._batch(rows)

    def to(self, device: str) -> Called:
        """The same items, moved to `device` batch by batch."""
        return Called(self.dataset, self.like.to(device))

    def _batch(self, rows: list[NDArray[Any]]) -> Tensor:
        from askwell.data.tensors import shared

        shape = tuple(self.like.rows.shape[1:])
        for row in rows:
            if row.shape != shape:
                raise BadShape(f"the dataset for training gave an item of shape {row.shape} instead of {shape}")
        return self.like.finish(shared(np.stack(rows)).to(self.like.device))


def read_dataset(
    dataset: MapStyle, *, train: MapStyle | None = None, key: Sequence[str] | None = None, length: int = 64
) -> Found:
    """Reads every item once: arrays, tensors and pictures of one shape become rows, texts a pool of texts."""
    if not len(dataset):
        raise BadData("there are no items: the dataset is empty")
    first, _ = pair(dataset[0])
    labels: list[Any] = []
    if isinstance(first, str):
        texts = [_text(item, place) for place, item in enumerate(_items_of(dataset, labels))]
        make: Callable[..., Pool] = partial(TextPool, texts, key, length=length)
    else:
        make = partial(DatasetPool, _rows(dataset, labels), train, key)
    known = labels if any(label is not None for label in labels) else None
    return Found("dataset", len(dataset), make, known, keys=key)


def pair(entry: Any) -> tuple[Any, Any]:
    """(item, label) of what a Dataset yields; the label is None where there is none."""
    if isinstance(entry, tuple | list) and 1 <= len(entry) <= 2:
        return entry[0], entry[1] if len(entry) == 2 else None
    if isinstance(entry, tuple | list | dict):
        raise BadData(
            f"a dataset must yield an item or a pair (item, label), got a {type(entry).__name__} of {len(entry)}"
        )
    return entry, None


@contextmanager
def seeded(rng: Generator | None) -> Iterator[None]:
    """The global generators of Python, numpy and torch's CPU follow `rng` inside, and are put back."""
    import torch

    seed = 0 if rng is None else int(torch.randint(1 << 62, (), generator=rng, device=rng.device))
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  transforms use it
    try:
        random.seed(seed)
        np.random.seed(seed % (1 << 32))  # noqa: NPY002  transforms use it
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002  puts back what was there
        torch.set_rng_state(before[2])


def _items_of(dataset: MapStyle, labels: list[Any]) -> Iterator[Any]:
    """Items in order; their labels are appended to `labels`."""
    for place in range(len(dataset)):
        item, label = pair(dataset[place])
        labels.append(label)
        yield item


def _rows(dataset: MapStyle, labels: list[Any]) -> NDArray[Any]:
    first = _array(pair(dataset[0])[0])
    rows = _room((len(dataset), *first.shape), first.dtype)
    for place, item in enumerate(_items_of(dataset, labels)):
        row = _array(item)
        if row.shape != first.shape:
            raise BadShape(
                f"item {place} of the dataset has shape {row.shape}, item 0 has {first.shape}: give all one shape, "
                "such as with a resize in the dataset's transform",
                got=row.shape,
            )
        rows[place] = row
    return rows


def _array(item: Any) -> NDArray[Any]:
    """A tensor, picture, array or list of numbers as an array; doubles become float32."""
    array = np.asarray(item)
    if array.dtype.kind not in "biuf":
        raise BadData(f"a dataset must yield arrays, tensors, pictures or texts, got {type(item).__name__}", got=item)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _text(item: Any, place: int) -> str:
    if not isinstance(item, str):
        raise BadData(f"item {place} of the dataset is a {type(item).__name__}, item 0 is a text", got=item)
    return item


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Empty rows in memory, or, beyond 4 GiB, in a file that vanishes with them."""
    size = int(np.prod(shape)) * dtype.itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, dtype, "r+", shape=shape)
