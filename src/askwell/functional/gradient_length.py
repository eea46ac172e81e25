"""How long the gradient of the last layer is expected to be when the label of an item is revealed."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from askwell.functional.tiles import rowwise

__all__ = ["Norm", "expected_gradient_length"]

Norm = Literal["l2", "l1"]


def expected_gradient_length(p: Tensor, z: Tensor, norm: Norm = "l2", bias: bool = True) -> Tensor:
    """Σ_c p_c ‖(p − e_c) ⊗ (z, 1)‖ = ‖(z, 1)‖ · Σ_c p_c ‖p − e_c‖, (N,) >= 0; 0 where p is one-hot.

    p     (N, C) class probabilities, z (N, D) embeddings of the same pass; half precision is computed in float32
    norm  "l2" the Euclidean length, "l1" the sum of absolute values
    bias  whether the layer has one: the 1 beside z

    O(N·(C + D)) time, memory for one tile.

    Settles, Craven and Ray 2007, "Multiple-Instance Active Learning"; Settles and Craven 2008,
    doi:10.3115/1613715.1613855.

    >>> import torch
    >>> p, z = torch.tensor([[.5, .5], [.9, .1]]), torch.tensor([[3., 4.], [3., 4.]])
    >>> expected_gradient_length(p, z), expected_gradient_length(p, z, "l1", bias=False)
    (tensor([3.6056, 1.2980]), tensor([7.0000, 2.5200]))
    """
    one = float(bias)
    if norm == "l1":
        return rowwise(p, _surprise_l1, "(N, C)") * rowwise(z, lambda tile: tile.abs().sum(1) + one, "(N, D)")
    lengths = rowwise(z, lambda tile: (tile.square().sum(1) + one).sqrt_(), "(N, D)")
    return rowwise(p, _surprise_l2, "(N, C)") * lengths


def _surprise_l2(p: Tensor) -> Tensor:
    """Σ_c p_c ‖p − e_c‖₂. At the predicted class 1 − p_c is the sum of the others: it cancels nothing when sure."""
    others, sure = _others(p)
    predicted = (others.sum(1).square_() + others.square().sum(1)).sqrt_()
    rest = (1 + p.square().sum(1, keepdim=True) - 2 * others).sqrt_().mul_(others)
    return rest.sum(1) + sure * predicted


def _surprise_l1(p: Tensor) -> Tensor:
    """Σ_c p_c ‖p − e_c‖₁ = 2 Σ_c p_c (1 − p_c)."""
    others, sure = _others(p)
    return 2 * (sure * others.sum(1) + (others * (1 - others)).sum(1))


def _others(p: Tensor) -> tuple[Tensor, Tensor]:
    """(n, C) probabilities with a 0 at the predicted class, and (n,) that of the predicted class."""
    sure, predicted = p.max(1, keepdim=True)
    return p.scatter(1, predicted, 0.0), sure[:, 0]
