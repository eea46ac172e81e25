"""Several pools one behind the other, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Items, Mode, Pool
from askwell.data.arrays import stack
from askwell.data.digest import of_parts
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Keys, Named, Numbered
from askwell.errors import BadData, BadShape, UnknownName

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["Joined", "original"]


class Joined:
    """Segments of one form, one behind the other: no position of a segment moves when another comes behind it.

    Ids are the users' own; items that are numbered go on from their place in the whole. Raises `BadShape` for another
    form, and `BadData` for an id that two segments have.

    >>> from askwell.data import ArrayPool
    >>> pool = Joined([ArrayPool(np.eye(2)), ArrayPool(np.ones((1, 2)), ["a"]), ArrayPool(np.zeros((1, 2)))])
    >>> len(pool), pool.keys([0, 2, 3]), pool.positions(["a"]), pool.item(2)
    (4, ['0', 'a', '3'], array([2]), array([1., 1.]))
    """

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.pools: list[Pool] = [one for pool in pools for one in (pool.pools if isinstance(pool, Joined) else [pool])]
        self.form = self.pools[0].form
        for pool in self.pools:
            if pool.form != self.form:
                raise BadShape(f"items of the form {pool.form} cannot join a pool of {self.form}", got=pool.form)
        self.starts = np.array([0, *accumulate(len(pool) for pool in self.pools)], np.int64)
        self._keys = [_keys(pool, int(start)) for pool, start in zip(self.pools, self.starts, strict=False)]
        self._check_keys()

    def _check_keys(self) -> None:
        for place, keys in enumerate(self._keys):
            for name in keys.names(range(len(keys))) if place else ():
                if any(name in before for before in self._keys[:place]):
                    raise BadData(f"the pool has an item {name!r} already: give the new one another id", got=name)

    def __len__(self) -> int:
        return int(self.starts[-1])

    @cached_property
    def digest(self) -> str:
        """Hash of the content of all segments."""
        return of_parts(*(pool.digest for pool in self.pools))

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The users' own ids."""
        return [
            self._keys[place].names([row])[0]
            for place, row in map(self._find, np.asarray(positions, np.int64).tolist())
        ]

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where these ids are; an unknown one raises `UnknownName`."""
        return np.array([self._position(key) for key in keys], np.int64)

    def item(self, position: int) -> Any:
        """One item for people."""
        place, row = self._find(position)
        return self.pools[place].item(row)

    def items(self, mode: Mode) -> Items:
        return Segments([pool.items(mode) for pool in self.pools], self.starts)

    def features(self) -> NDArray[np.float32] | None:
        """Fixed vectors of all items; None where a segment has none."""
        return self._features

    def describe(self, payloads: Sequence[Any]) -> NDArray[np.float32] | None:
        """Fixed vectors of made items; None where the first segment cannot describe them."""
        first = self.pools[0]
        return first.describe(payloads) if isinstance(first, KeyedPool) else None

    def shown_of(self, payload: Any) -> Any:
        """A made item as people are shown items of the pool."""
        first = self.pools[0]
        return first.shown_of(payload) if isinstance(first, KeyedPool) else payload

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made items in the form of the pool."""
        first = self.pools[0]
        return first.rows_of(payloads) if isinstance(first, KeyedPool) else stack(payloads, self.form.shape)

    @cached_property
    def _features(self) -> NDArray[np.float32] | None:
        found = [pool.features() for pool in self.pools]
        there = [rows for rows in found if rows is not None]
        if len(there) < len(found):
            return None
        return there[0] if len(there) == 1 else np.concatenate(there)

    def _find(self, position: int) -> tuple[int, int]:
        """Segment and row of a position."""
        place = int(np.searchsorted(self.starts, position, "right")) - 1
        return place, position - int(self.starts[place])

    def _position(self, key: str) -> int:
        for keys, start in zip(self._keys, self.starts.tolist(), strict=False):
            if key in keys:
                return int(start + keys.positions([key])[0])
        errors = [error for keys in self._keys if (error := _unknown(keys, key))]
        raise next((error for error in errors if error.nearest), errors[0])


def original(pool: Pool) -> Pool:
    """The segment that was there first: what others are made like."""
    return pool.pools[0] if isinstance(pool, Joined) else pool


def _keys(pool: Pool, start: int) -> Keys:
    own = pool._keys if isinstance(pool, KeyedPool) else Named(pool.keys(range(len(pool))))
    return Numbered(len(own), start) if isinstance(own, Numbered) else own


def _unknown(keys: Keys, key: str) -> UnknownName | None:
    try:
        keys.positions([key])
    except UnknownName as error:
        return error
    return None


class Segments:
    """Batches over all segments; a batch within one costs what it costs there."""

    def __init__(self, parts: Sequence[Items], starts: NDArray[np.int64]) -> None:
        self.parts, self.starts = parts, starts

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Any]]:
        """Yields (place among `positions`, at most `size` items)."""
        for place in range(0, len(positions), size):
            where = slice(place, min(place + size, len(positions)))
            yield where, self._batch(positions[where], rng)

    def to(self, device: str) -> Segments:
        """The same items on `device`."""
        return Segments([part.to(device) for part in self.parts], self.starts)

    def _batch(self, positions: Tensor, rng: Generator | None) -> Tensor:
        """The rows of one batch: one index per segment that it touches."""
        import torch

        inner = torch.from_numpy(self.starts[1:-1]).to(positions.device)
        segment = torch.searchsorted(inner, positions, right=True)
        first, last = int(segment.min()), int(segment.max())
        if first == last:
            return self._part(first, positions, rng)
        batch: Tensor | None = None
        for place in range(first, last + 1):
            mine = segment == place
            if bool(mine.any()):
                rows = self._part(place, positions[mine], rng)
                batch = rows.new_empty((len(positions), *rows.shape[1:])) if batch is None else batch
                batch[mine.to(rows.device)] = rows
        assert batch is not None, "a batch has at least one item"
        return batch

    def _part(self, place: int, positions: Tensor, rng: Generator | None) -> Tensor:
        rows = positions - int(self.starts[place])
        part: Tensor = next(iter(self.parts[place].batches(rows, len(rows), rng)))[1]
        return part
