"""Windows of a signal that a network sees as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form
from askwell.data.arrays import ArrayPool
from askwell.data.digest import of_array, of_parts
from askwell.data.features import principal
from askwell.data.images import BLOCK, small
from askwell.data.keyed import Describe, KeyedPool, Raw
from askwell.data.keys import Keys
from askwell.errors import BadShape, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.data.tensors import Gathered

__all__ = ["FieldPool"]


class FieldPool(ArrayPool):
    """Windows (N, T), served as Gramian angular summation fields (1, S, S), from [-1, 1] moved to [0, 1].

    An item for people is its window. Fields are computed batch by batch, so that nothing of N·S² is held.

    >>> pool = FieldPool(np.array([[2.0, 3.0, 4.0]], np.float32), side=3)
    >>> pool.form
    Form(kind='image', shape=(1, 3, 3), vocab=0)
    >>> import torch
    >>> next(pool.items("eval").batches(torch.tensor([0]), 1))[1][0, 0, 0]
    tensor([1.0000, 0.5000, 0.0000])
    """

    kind: ClassVar[str] = "fields"

    def __init__(
        self,
        array: NDArray[Any],
        keys: Sequence[str] | Keys | None = None,
        *,
        side: int = 32,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        if array.ndim != 2:
            raise BadShape(f"windows have shape {array.shape} instead of (N, T)", got=array.shape)
        if not 1 <= side <= array.shape[1]:
            raise InputError(f"side of a field must lie between 1 and {array.shape[1]} samples, got {side}", got=side)
        self.side = side
        super().__init__(array, keys, fit_on=fit_on, features=features, cache=cache, like=like)

    def _form(self) -> Form:
        return Form("image", (1, self.side, self.side))

    @cached_property
    def digest(self) -> str:
        return of_parts("fields", str(self.side), of_array(self.array))

    @cached_property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        return tensors.Gathered(tensors.shared(self.array), partial(fields, side=self.side))

    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw:
        import torch

        windows = torch.from_numpy(np.asarray(self.array[positions], np.float32))
        blocks = [small(fields(block, self.side).numpy(), slice(None)) for block in torch.split(windows, BLOCK)]
        return np.concatenate(blocks)

    def _raw_of(self, payloads: Sequence[Any]) -> Raw:
        return small(self.rows_of(payloads).numpy(), slice(None))

    def _fit(self, candidates: Raw) -> Describe:
        return principal(candidates)

    @property
    def _lasting(self) -> bool:
        return True


def fields(windows: Tensor, side: int) -> Tensor:
    """(n, T) windows to (n, 1, S, S) fields in [0, 1]."""
    from askwell.functional.gramian import gramian_field

    return gramian_field(windows.float(), side)[:, None].add(1).div(2)
