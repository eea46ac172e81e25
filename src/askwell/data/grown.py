"""A pool to which strategies have added items of their own making."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Items, Mode, Pool
from askwell.data.digest import of_array, of_texts
from askwell.data.joined import Joined
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Named
from askwell.errors import BadData, InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Grown", "MadePool"]


class Grown(Joined):
    """A pool and a segment of made items behind it.

    payloads  arrays of the pool's form, or texts
    keys      ids of the made items; "made-<position>" without them

    >>> from askwell.data import ArrayPool
    >>> pool = Grown(ArrayPool(np.eye(3)), [np.ones(3)])
    >>> len(pool), pool.keys([0, 3]), pool.item(3)
    (4, ['0', 'made-3'], array([1., 1., 1.]))
    """

    def __init__(self, pool: Pool, payloads: Sequence[Any], keys: Sequence[str] | None = None) -> None:
        super().__init__([pool, MadePool(pool, payloads, len(pool), keys)] if len(payloads) else [pool])


class MadePool:
    """Made items in the form of a pool, which they come behind, the first at position `start`.

    A pool that is not of `askwell.data` takes vectors and images alone.
    """

    def __init__(self, like: Pool, payloads: Sequence[Any], start: int, keys: Sequence[str] | None = None) -> None:
        if not isinstance(like, KeyedPool | Joined) and like.form.kind not in ("vector", "image"):
            raise InputError(f"a {type(like).__name__} of {like.form.kind} cannot grow: use a pool of askwell.data")
        self._like, self.payloads, self.form = Joined([like]), list(payloads), like.form
        named = [f"made-{start + row}" for row in range(len(self.payloads))] if keys is None else list(keys)
        if len(named) != len(self.payloads):
            raise BadData(f"there are {len(named)} ids for {len(self.payloads)} made items", got=len(named))
        self._named = Named(named, "made items")

    def __len__(self) -> int:
        return len(self.payloads)

    @cached_property
    def digest(self) -> str:
        """Hash of the made items."""
        return of_texts(p if isinstance(p, str) else of_array(np.atleast_1d(np.asarray(p))) for p in self.payloads)

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Names of made items."""
        return self._named.names(positions)

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where these names are; an unknown one raises `UnknownName`."""
        return self._named.positions(keys)

    def item(self, position: int) -> Any:
        """An item as it was made; one of a table by column, on the scale of the table."""
        return self._like.shown_of(self.payloads[position])

    def items(self, mode: Mode) -> Items:
        from askwell.data import tensors

        return tensors.Gathered(self._rows, tensors.tokens if self.form.kind == "tokens" else tensors.plain)

    def features(self) -> NDArray[np.float32] | None:
        """Fixed vectors by the map of the pool; None where it cannot describe made items."""
        return self._like.describe(self.payloads)

    @cached_property
    def _rows(self) -> Tensor:
        return self._like.rows_of(self.payloads)
