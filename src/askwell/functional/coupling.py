"""What holds the members of an ensemble apart while they are trained together."""

from __future__ import annotations

from torch import Tensor

from askwell.errors import BadShape

__all__ = ["coupling"]


def coupling(weights: Tensor, variance: float, mean: float = 0.0, least: float = 0.0) -> Tensor:
    """Σ_w log s² + σ²/s² + (μ − m)²/s² over the members' weights: low where they spread as a prior N(m, σ²) does.

    weights   (E, …) one weight of E members along the first axis; μ and s² are its mean and its variance (of the
              population) over the members
    variance  σ² of the prior; mean  m
    least     added to s², so that members that agree do not divide by zero
    returns   a scalar; per weight log σ² + 1 at least, which is where μ = m and s² = σ²

    Equals (log σ² + 1) + 2·KL(prior ‖ N(μ, s²)) per weight. O(E·weights).

    Chitta, Álvarez and Lesnikowski 2018, "Deep Probabilistic Ensembles", arXiv 1811.02640.

    >>> import torch
    >>> coupling(torch.tensor([[.1], [.2], [-.1], [0.]]), 2 / (16 * 3 * 3))
    tensor(-3.0709)
    """
    if weights.ndim < 1 or len(weights) < 2:
        raise BadShape(f"weights have shape {tuple(weights.shape)}: at least two members are needed", got=weights.shape)
    centre = weights.mean(0)
    spread = weights.var(0, correction=0) + least
    return (spread.log() + (variance + (centre - mean).square()) / spread).sum()
