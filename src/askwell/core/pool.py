"""Items without labels, addressed by position. No label can be reached from a pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor

__all__ = ["Form", "Items", "Kind", "Mode", "Pool"]

Mode = Literal["train", "eval"]
Kind = Literal["vector", "image", "tokens", "other"]


@dataclass(frozen=True)
class Form:
    """What one item looks like once it is a tensor.

    kind   "vector" (D,) float · "image" (channels, height, width) float in [0, 1] · "tokens" (length,) int64, 0 is
           padding · "other"
    shape  of one item, without the batch axis
    vocab  number of token ids, for "tokens"
    """

    kind: Kind
    shape: tuple[int, ...]
    vocab: int = 0


class Items(Protocol):
    """Items as batches of tensors, on one device."""

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Any]]:
        """Yields (place among `positions`, batch of at most `size` items); `rng` only for random transforms."""
        ...

    def to(self, device: str) -> Items:
        """The same items, served on `device`."""
        ...


@runtime_checkable
class Pool(Protocol):
    """Segments of items; a position never moves. Neither `len`, `keys`, `positions` nor `item` loads torch."""

    form: Form

    @property
    def digest(self) -> str:
        """Hex hash of the content of all items."""
        ...

    def __len__(self) -> int: ...

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The user's own ids."""
        ...

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where the user's ids are; an unknown one raises `UnknownName`."""
        ...

    def item(self, position: int) -> Any:
        """One item for people: an array, a string, a picture."""
        ...

    def items(self, mode: Mode) -> Items:
        """Tensors. "eval" repeats exactly and never augments; "train" may transform, by the given generator."""
        ...

    def features(self) -> NDArray[np.float32] | None:
        """(len, D) fixed vectors for the need `features` and for linear heads, or None."""
        ...
