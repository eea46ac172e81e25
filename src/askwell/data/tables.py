"""A table whose columns are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.data.arrays import ArrayPool, stack
from askwell.data.cache import gather
from askwell.data.features import Standard
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Keys
from askwell.errors import BadShape, UnknownName

if TYPE_CHECKING:
    from askwell.data.tensors import Gathered

__all__ = ["TablePool"]


class TablePool(ArrayPool):
    """Rows (N, D) of named columns, served with mean 0 and deviation 1 by the candidates.

    People are shown a row as it stands in the table, by column; a made item, which is a vector on the served scale,
    likewise.

    >>> pool = TablePool(np.array([[1., 50.], [3., 70.]]), ["weight", "height"])
    >>> pool.item(1)
    {'weight': 3.0, 'height': 70.0}
    >>> pool.features().tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    kind: ClassVar[str] = "rows of a table"
    columns: tuple[str, ...]

    def __init__(
        self,
        array: NDArray[Any],
        columns: Sequence[str],
        keys: Sequence[str] | Keys | None = None,
        *,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        if array.ndim != 2 or array.shape[1] != len(columns):
            raise BadShape(f"a table of {len(columns)} columns has shape (N, {len(columns)}), got {array.shape}")
        if isinstance(like, TablePool):
            same = tuple(columns) == like.columns
            array, columns = array if same else array[:, like.places(columns)], like.columns
        self.columns = tuple(columns)
        super().__init__(array, keys, fit_on=fit_on, features=features, cache=cache, like=like)

    def places(self, columns: Sequence[str]) -> list[int]:
        """Where this pool's columns are among others; raises `UnknownName` for one that is not there."""
        for name in self.columns:
            if name not in columns:
                raise UnknownName("column", name, columns)
        return [list(columns).index(name) for name in self.columns]

    def item(self, position: int) -> dict[str, float]:  # type: ignore[override]
        """One row: column -> value."""
        return {name: float(str(value)) for name, value in zip(self.columns, self.array[position], strict=True)}

    def shown_of(self, payload: Any) -> dict[str, float]:
        """A made vector as a row of the table: column -> value."""
        scale = self.feature_map
        row = payload * scale.scale + scale.mean if isinstance(scale, Standard) else payload
        return {name: float(f"{value:.6g}") for name, value in zip(self.columns, row, strict=True)}

    def describe(self, payloads: Sequence[Any]) -> NDArray[np.float32] | None:
        """Made vectors as they are: they are on the scale of the features already."""
        return None if self._given is not None else stack(payloads, self.form.shape).numpy()

    @cached_property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        computed = self._given is None and self.model is None
        rows = self._features if computed else gather(len(self), self._described())
        return tensors.Gathered(tensors.shared(rows), tensors.plain)
