"""A pool to which strategies have added items of their own making."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode, Pool
from askwell.data.arrays import stack
from askwell.data.digest import of_array, of_parts
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Named
from askwell.errors import BadData, InputError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["Grown"]


class Grown:
    """A pool and a second segment of made items behind it; no position of the pool moves.

    payloads  arrays of the pool's form, or texts
    keys      ids of the made items; "made-<position>" without them

    >>> from askwell.data import ArrayPool
    >>> pool = Grown(ArrayPool(np.eye(3)), [np.ones(3)])
    >>> len(pool), pool.keys([0, 3]), pool.item(3)
    (4, ['0', 'made-3'], array([1., 1., 1.]))
    """

    form: Form

    def __init__(self, pool: Pool, payloads: Sequence[Any], keys: Sequence[str] | None = None) -> None:
        if not isinstance(pool, KeyedPool | Grown) and pool.form.kind not in ("vector", "image"):
            raise InputError(f"a {type(pool).__name__} of {pool.form.kind} cannot grow: use a pool of askwell.data")
        self.pool, self.payloads, self.form = pool, list(payloads), pool.form
        self.start = len(pool)
        named = [f"made-{self.start + row}" for row in range(len(self.payloads))] if keys is None else list(keys)
        if len(named) != len(self.payloads):
            raise BadData(f"there are {len(named)} ids for {len(self.payloads)} made items", got=len(named))
        self._made = Named(named, "made items")

    def __len__(self) -> int:
        return self.start + len(self.payloads)

    @cached_property
    def digest(self) -> str:
        """Hash of the pool and of the made items."""
        parts = (p if isinstance(p, str) else of_array(np.atleast_1d(np.asarray(p))) for p in self.payloads)
        return of_parts(self.pool.digest, *parts)

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The user's own ids, and the names of made items."""
        return [self._key(position) for position in np.asarray(positions, np.int64).tolist()]

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where these ids are; an unknown one raises `UnknownName`."""
        made = {name: self.start + row for row, name in enumerate(self._made.ids)}
        return np.array([made[key] if key in made else self.pool.positions([key])[0] for key in keys], np.int64)

    def item(self, position: int) -> Any:
        """One item for people; a made one as it was made."""
        return self.pool.item(position) if position < self.start else self.payloads[position - self.start]

    def items(self, mode: Mode) -> Items:
        return Joined(self.pool.items(mode), self._rows, self.start)

    def features(self) -> NDArray[np.float32] | None:
        """Fixed vectors of all items; None where made items cannot be described as the others were."""
        return self._features

    def describe(self, payloads: Sequence[Any]) -> NDArray[np.float32] | None:
        """Fixed vectors of made items; None where the pool cannot describe them."""
        return self.pool.describe(payloads) if isinstance(self.pool, KeyedPool | Grown) else None

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made items in the form of the pool."""
        if isinstance(self.pool, KeyedPool | Grown):
            return self.pool.rows_of(payloads)
        return stack(payloads, self.form.shape)

    @cached_property
    def _rows(self) -> Tensor:
        return self.rows_of(self.payloads)

    @cached_property
    def _features(self) -> NDArray[np.float32] | None:
        fixed = self.pool.features()
        if fixed is None or not self.payloads:
            return fixed
        made = self.describe(self.payloads)
        return None if made is None else np.concatenate([fixed, made])

    def _key(self, position: int) -> str:
        if position < self.start:
            return self.pool.keys([position])[0]
        return self._made.names([position - self.start])[0]


class Joined:
    """Batches over both segments; a batch within the first costs what it costs there."""

    def __init__(self, first: Items, made: Tensor, start: int) -> None:
        self.first, self.made, self.start = first, made, start

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Any]]:
        """Yields (place among `positions`, at most `size` items)."""
        for place in range(0, len(positions), size):
            where = slice(place, min(place + size, len(positions)))
            yield where, self._batch(positions[where], rng)

    def to(self, device: str) -> Joined:
        """The same items on `device`."""
        return Joined(self.first.to(device), self.made.to(device), self.start)

    def _batch(self, positions: Tensor, rng: Generator | None) -> Tensor:
        new = positions >= self.start
        made = self.made[(positions[new] - self.start).to(self.made.device)]
        if bool(new.all()):
            return made
        old: Tensor = next(iter(self.first.batches(positions[~new], len(positions), rng)))[1]
        if not bool(new.any()):
            return old
        rows = old.new_empty((len(positions), *old.shape[1:]))
        rows[~new.to(rows.device)], rows[new.to(rows.device)] = old, made
        return rows
