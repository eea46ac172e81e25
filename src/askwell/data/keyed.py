"""What all pools share: the users' ids, the candidates that fitted transforms may see, and the fixed features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode
from askwell.data.cache import gather, kept
from askwell.data.digest import of_array, of_parts
from askwell.data.keys import Keys
from askwell.errors import BadShape, NotFinite

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Describe", "KeyedPool", "Raw"]

Raw = Any
"""Items as a feature map takes them: vectors (n, D), small flat images (n, D), or a list of texts."""
Describe = Callable[[Raw], NDArray[np.float32]]
"""Raw items to fixed vectors (n, D)."""
BLOCK = 2048


class KeyedPool(ABC):
    """Items with keys. A subclass says how an item looks, how its rows are read and how it is described.

    fit_on    positions that a vocabulary, a scale or a projection may be fitted on: the candidates; None means all
    features  (N, D) given in place of the computed ones
    cache     folder for what is made once; None is the user's cache folder
    fitted    candidates that features are fitted on, at most; beyond that a sample with a fixed seed
    """

    form: Form
    fitted: ClassVar[int] = 50_000

    def __init__(
        self,
        keys: Keys,
        fit_on: NDArray[np.int64] | None,
        features: NDArray[Any] | None,
        cache: Path | None,
    ) -> None:
        self._keys, self._cache = keys, cache
        self._fit_on = np.arange(len(keys)) if fit_on is None else fit_on
        self._given = None if features is None else checked(features, len(keys))

    @property
    @abstractmethod
    def digest(self) -> str:
        """Hex hash of the content of all items."""

    @abstractmethod
    def item(self, position: int) -> Any:
        """One item for people."""

    @abstractmethod
    def items(self, mode: Mode) -> Items:
        """Tensors; both modes are alike unless the pool says otherwise."""

    @abstractmethod
    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made items (m, …) in the form of this pool, for `Grown`."""

    @abstractmethod
    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw: ...

    @abstractmethod
    def _fit(self, candidates: Raw) -> Describe: ...

    @abstractmethod
    def _raw_of(self, payloads: Sequence[Any]) -> Raw: ...

    def __len__(self) -> int:
        return len(self._keys)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: all but what it can compute or read from the cache again."""
        kind = type(self)
        return {name: v for name, v in vars(self).items() if not isinstance(getattr(kind, name, None), cached_property)}

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The user's own ids."""
        return self._keys.names(positions)

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where the user's ids are; an unknown one raises `UnknownName`."""
        return self._keys.positions(keys)

    @cached_property
    def given(self) -> str:
        """Hash of the features that were given; empty where they are computed."""
        return "" if self._given is None else of_array(self._given)

    def features(self) -> NDArray[np.float32]:
        """(len, D) fixed vectors, fitted on the candidates alone and with no label; O(N), once per content."""
        return self._features

    def describe(self, payloads: Sequence[Any]) -> NDArray[np.float32] | None:
        """(m, D) fixed vectors of made items by the same map; None when the features were given as an array."""
        return None if self._given is not None else self._map(self._raw_of(payloads))

    @cached_property
    def _features(self) -> NDArray[np.float32]:
        if self._given is not None:
            return self._given
        if not self._lasting:
            return gather(len(self), self._described())
        name = of_parts(type(self).__name__, repr(self.form), self.digest, self._fit_on)
        return kept(self._cache, f"features-{name[:32]}", len(self), self._described)

    @property
    def _lasting(self) -> bool:
        """Whether features are worth a file in the cache."""
        return True

    @cached_property
    def _map(self) -> Describe:
        seen = self._fit_on
        if len(seen) > self.fitted:
            seen = np.sort(np.random.default_rng(0).choice(seen, self.fitted, replace=False))
        return self._fit(self._raw(seen))

    def _described(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(self), BLOCK):
            yield self._map(self._raw(slice(start, start + BLOCK)))


def checked(features: NDArray[Any], n: int, what: str = "features") -> NDArray[np.float32]:
    """Numbers (n, D) as float32; raises `BadShape`, or `NotFinite` naming the rows."""
    if features.ndim != 2 or len(features) != n or features.dtype.kind not in "biuf":
        raise BadShape(f"{what} must be numbers of shape ({n}, D), got {features.dtype} {features.shape}")
    finite(features, what)
    return np.asarray(features, np.float32)


def finite(array: NDArray[Any], what: str, rows: int = 1 << 14) -> None:
    """Raises `NotFinite` naming the first rows with NaN or infinity; reads a memory map block by block."""
    if array.dtype.kind != "f":
        return
    bad: list[int] = []
    for start in range(0, len(array), rows):
        block = array[start : start + rows]
        block = block.reshape(len(block), -1)
        with np.errstate(invalid="ignore", over="ignore"):
            total = block.sum(dtype=np.float64)
        if not np.isfinite(total):
            bad += (start + np.flatnonzero(~np.isfinite(block).all(1))).tolist()
    if bad:
        named = ", ".join(map(str, bad[:5]))
        raise NotFinite(f"{what}: NaN or infinity in {len(bad)} of {len(array)} rows, the first are {named}", got=bad)
