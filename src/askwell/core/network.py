"""What the need `network` gives: a fitted network as a function that gradients flow through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.core.pool import Form

__all__ = ["Network"]


class Network(Protocol):
    """A copy of the fitted network in eval mode; nothing done with it reaches the fitted one.

    Of vectors and pictures, `inputs` are the items themselves; of tokens they are the vectors (n, L, E) that the
    network looks up first, which stand in for those of `items` when both are given.
    """

    @property
    def form(self) -> Form:
        """What one item looks like: pictures lie in [0, 1]."""
        ...

    @property
    def marks(self) -> tuple[int, ...]:
        """Tokens that are no words: padding, unknown words, and what a tokenizer puts around and between texts."""
        ...

    def items(self, ids: Tensor) -> Tensor:
        """(n, …) eval items as the network takes them: numbers, or tokens (n, L) int64, 0 for padding."""
        ...

    def inputs(self, items: Tensor) -> Tensor:
        """(n, …) floating-point numbers, with respect to which gradients can be taken."""
        ...

    def __call__(self, items: Tensor, inputs: Tensor | None = None) -> Tensor:
        """(n, O) outputs before any softmax."""
        ...

    def embed(self, items: Tensor, inputs: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """z (n, D), the input of the last layer, and taps (n, …), hidden features from the input upwards."""
        ...

    def at(self, weights: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """(n, O) outputs with these weights in place of its own; for gradients of each item by `torch.func`."""
        ...

    @property
    def weights(self) -> Mapping[str, Any]:
        """Trained weights by name, without those of layers that are never trained."""
        ...
