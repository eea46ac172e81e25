"""What all pools share: the users' ids, the candidates that fitted transforms may see, and the fixed features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode
from askwell.data.cache import gather, kept
from askwell.data.digest import of_array, of_parts
from askwell.data.extracted import Extracted
from askwell.data.keys import Keys
from askwell.data.simclr import SimCLR
from askwell.errors import BadData, BadShape, NotFinite

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
    features  (N, D) given in place of the computed ones, a frozen model that computes them, or a way to learn them from
              the candidates
    cache     folder for what is made once; None is the user's cache folder
    like      a pool of the same kind: items look as they do there, and what was fitted there is used here
    kind      what the items are, for messages; pools of one kind can be alike
    fitted    candidates that features are fitted on, at most; beyond that a sample with a fixed seed
    """

    form: Form
    kind: ClassVar[str]
    fitted: ClassVar[int] = 50_000

    def __init__(
        self,
        keys: Keys,
        fit_on: NDArray[np.int64] | None,
        features: NDArray[Any] | Extracted | SimCLR | None,
        cache: Path | None,
        like: KeyedPool | None = None,
    ) -> None:
        self._keys, self._cache, self._like = keys, cache, like
        inherited = None if like is None else like._model
        self._model: Extracted | None = features if isinstance(features, Extracted) else inherited
        self._fit_on = np.arange(len(keys)) if fit_on is None else fit_on
        self._learnt: SimCLR | None = features if isinstance(features, SimCLR) else like._learnt if like else None
        numbers = None if features is None or isinstance(features, Extracted | SimCLR) else features
        self._given = None if numbers is None else checked(numbers, len(keys))
        if like is not None:
            self._check_kind(like)

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

    def shown_of(self, payload: Any) -> Any:
        """A made item as people are shown items of this pool."""
        return payload

    @abstractmethod
    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw: ...

    @abstractmethod
    def _fit(self, candidates: Raw) -> Describe: ...

    @abstractmethod
    def _raw_of(self, payloads: Sequence[Any]) -> Raw: ...

    def _check_kind(self, like: KeyedPool) -> None:
        if self.kind != like.kind:
            raise BadData(f"these items are {self.kind}, and those of the pool are {like.kind}", got=self.kind)
        if (self._given is None) != (like._given is None):
            raise BadData(
                "features were given for these items, and not for those of the pool: leave them out"
                if like._given is None
                else "features were given for the items of the pool: give `features` for these items too"
            )
        if self._given is not None and like._given is not None and self._given.shape[1] != like._given.shape[1]:
            widths = f"{self._given.shape[1]}, those of the pool have {like._given.shape[1]}"
            raise BadShape(f"features of these items have width {widths}", got=self._given.shape)

        if self._learnt != like._learnt:
            raise BadData("features of these items are learnt otherwise than those of the pool", got=self._learnt)
        model = self._model
        if model is not None and (like._model is None or model.digest != like._model.digest):
            raise BadData("features of these items come from another model than those of the pool", got=model.path)

    def _check_form(self, like: KeyedPool) -> None:
        if self.form != like.form:
            raise BadShape(f"these items have the form {self.form}, those of the pool {like.form}", got=self.form)

    def is_like(self, other: KeyedPool) -> bool:
        """Whether this pool was made like the other, or like one that is equal to it."""
        like = self._like
        if like is None or like is other:
            return like is other
        return like.digest == other.digest and np.array_equal(like._fit_on, other._fit_on)

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

    @property
    def cache(self) -> Path | None:
        """Folder for what is made once; None is the user's cache folder."""
        return self._cache

    @property
    def given_width(self) -> int:
        """Width of features that were given as numbers; 0 where none were."""
        return 0 if self._given is None else self._given.shape[1]

    @property
    def model(self) -> Extracted | None:
        """The frozen model whose embeddings are the features."""
        return self._model

    @property
    def feature_map(self) -> Describe:
        """From raw items to the features that the pool computes, as fitted on the candidates."""
        return self._map

    def described_by(self, describe: Describe, content: str) -> Self:
        """This pool with a feature map that was fitted elsewhere; `content`, its hash, stands for these items too."""
        vars(self).update(_map=describe, digest=content)
        return self

    @cached_property
    def given(self) -> str:
        """Hash of the features that were given, or of the model that makes them; empty where the pool computes them."""
        if self._model is not None:
            return self._model.digest
        if self._learnt is not None:
            return self._learnt.digest
        return "" if self._given is None else of_array(self._given)

    def features(self) -> NDArray[np.float32]:
        """(len, D) fixed vectors, fitted on the candidates alone and with no label; O(N), once per content."""
        return self._features

    def describe(self, payloads: Sequence[Any]) -> NDArray[np.float32] | None:
        """(m, D) fixed vectors of made items by the same map; None when the features were given as an array."""
        if self._model is not None:
            return self._model.describe(payloads if self.form.kind == "tokens" else self.rows_of(payloads))
        return None if self._given is not None else self._map(self._raw_of(payloads))

    @cached_property
    def _features(self) -> NDArray[np.float32]:
        if self._given is not None:
            return self._given
        if self._model is not None:
            return self._model.rows(self, self._cache)
        if not self._lasting:
            return gather(len(self), self._described())
        fitted = (self._fit_on,) if self._like is None else (self._like._content, self._like._fit_on)
        learnt = () if self._learnt is None else (self._learnt.digest,)
        name = of_parts(type(self).__name__, repr(self.form), self._content, *fitted, *learnt)
        return kept(self._cache, f"features-{name[:32]}", len(self), self._described)

    @property
    def _content(self) -> str:
        """What features in the cache are named by: the digest, unless it leaves content out."""
        return self.digest

    @property
    def _lasting(self) -> bool:
        """Whether features are worth a file in the cache."""
        return True

    @cached_property
    def _map(self) -> Describe:
        if self._like is not None:
            return self._like._map
        seen = self._fit_on
        if len(seen) > self.fitted:
            seen = np.sort(np.random.default_rng(0).choice(seen, self.fitted, replace=False))
        if self._learnt is None:
            return self._fit(self._raw(seen))
        content = of_parts(self._content, self._fit_on)
        return self._learnt.fit(self._raw(seen), self.form, self._cache, content)

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
