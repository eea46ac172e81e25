"""Items in one array, in memory or in a memory map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode
from askwell.data.digest import of_array
from askwell.data.features import principal, standard
from askwell.data.images import form_of, layout_of, small
from askwell.data.keyed import Describe, KeyedPool, Raw, finite
from askwell.data.keys import Keys, keys_for
from askwell.errors import BadData, BadShape

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.data.tensors import Gathered

__all__ = ["ArrayPool", "stack"]


class ArrayPool(KeyedPool):
    """Vectors (N, D) or images (N, H, W), (N, H, W, C), (N, C, H, W).

    Vectors are served as float32, as they are. Images of integers are taken as bytes, 0 to 255, and served as floats in
    [0, 1], converted batch by batch; images of floats are taken to be in [0, 1] already. Nothing is copied, unless the
    array is a part of a larger one, which might hold labels. Features: scaled columns, or principal components.
    Raises `BadShape`, `BadData` (objects, text) or `NotFinite` naming the rows.

    >>> pool = ArrayPool(np.full((4, 2, 2), 255, np.uint8), ["a", "b", "c", "d"])
    >>> pool.form
    Form(kind='image', shape=(1, 2, 2), vocab=0)
    >>> pool.positions(["c"])
    array([2])
    """

    kind: ClassVar[str] = "arrays"
    fitted: ClassVar[int] = 10_000

    def __init__(
        self,
        array: NDArray[Any],
        keys: Sequence[str] | Keys | None = None,
        *,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        self.array = usable(array)
        self.layout = layout_of(array.shape)
        self.form = self._form()
        super().__init__(keys_for(len(array), keys), fit_on, features, cache, like)
        if like is not None:
            self._check_form(like)

    def _form(self) -> Form:
        return form_of(self.array.shape)

    @cached_property
    def digest(self) -> str:
        return of_array(self.array)

    def item(self, position: int) -> NDArray[Any]:
        """A copy of one row: a vector, or an image with its axes as given."""
        return np.array(self.array[position])

    def items(self, mode: Mode) -> Items:
        return self._items

    @cached_property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        finish = tensors.plain if self.layout == "vector" else getattr(tensors, self.layout)
        return tensors.Gathered(tensors.shared(self.array), finish)

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made items as a tensor (m, …) of this pool's form."""
        return stack(payloads, self.form.shape)

    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw:
        if self.layout == "vector":
            return np.asarray(self.array[positions], np.float32)
        return small(self.array, positions)

    def _raw_of(self, payloads: Sequence[Any]) -> Raw:
        rows = stack(payloads, self.form.shape).numpy()
        return rows if self.layout == "vector" else small(rows, slice(None))

    def _fit(self, candidates: Raw) -> Describe:
        return standard(candidates) if self.layout == "vector" else principal(candidates)

    @property
    def _lasting(self) -> bool:
        return self.layout != "vector" or isinstance(self.array, np.memmap)


def usable(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself if it holds finite numbers, apart from any larger array that it is a part of."""
    if array.dtype.kind not in "biuf":
        raise BadData(f"items must be numbers, got an array of type {array.dtype}", got=array.dtype)
    if not len(array):
        raise BadData("there are no items: the array is empty", got=array.shape)
    finite(array, "items")
    whole = array.base
    if isinstance(whole, np.ndarray) and not isinstance(array, np.memmap) and whole.nbytes > array.nbytes:
        return array.copy()
    return array


def stack(payloads: Sequence[Any], shape: tuple[int, ...]) -> Tensor:
    """Made items as float32 rows (m, *shape); raises `BadShape` for one of another shape."""
    import torch

    rows = [np.asarray(payload, np.float32) for payload in payloads]
    for row in rows:
        if row.shape != shape:
            raise BadShape(f"a made item has shape {row.shape}, items of this pool have {shape}", got=row.shape)
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty((0, *shape))
