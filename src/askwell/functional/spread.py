"""How far several predicted numbers of one item lie apart."""

from __future__ import annotations

from torch import Tensor

from askwell.functional.tiles import rowwise

__all__ = ["variance"]


def variance(mc: Tensor) -> Tensor:
    """Variance over the K draws (of the population: divided by K), summed over the T targets, in squared units.

    mc (N, K, T); returns (N,). Half precision is computed in float32. O(N·K·T), memory for one tile.

    >>> import torch
    >>> variance(torch.tensor([[[1.], [3.]], [[2.], [2.]]]))
    tensor([1., 0.])
    """
    return rowwise(mc, lambda tile: tile.var(1, correction=0).sum(1), "(N, K, T)")
