"""Learning how alike items are from pairs of labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["pair_loss"]


def pair_loss(f: Tensor, y: Tensor, scale: float, weights: Tensor | None = None) -> Tensor:
    """Mean logistic loss of pairs of one class, log(1 + exp(−scale·s)), and of two classes, log(1 + exp(scale·s)).

    f        (n, D) rows of length one; s = f_i · f_j in [−1, 1], over all pairs i < j of the batch
    y        (n,) class indices
    scale    above 0: how steep
    weights  (n,) >= 0: a pair weighs the product of its items' weights; 1 when None

    Both kinds of pairs count one half, however many there are of each; a kind without pairs is 0. O(n²·D).

    Our reading of Yin et al. 2017, doi:10.1109/ICDM.2017.67, whose loss is not public.

    >>> f = torch.tensor([[1., 0.], [1., 0.], [0., 1.]])
    >>> pair_loss(f, torch.tensor([0, 0, 1]), 1.0)
    tensor(0.5032)
    """
    i, j = torch.triu_indices(len(f), len(f), 1, device=f.device)
    s = scale * (f @ f.t())[i, j]
    share = f.new_ones(len(i)) if weights is None else (weights[i] * weights[j]).to(f)
    same = (y[i] == y[j]).to(f)
    return (_mean(softplus(-s), share * same) + _mean(softplus(s), share * (1 - same))) / 2


def _mean(losses: Tensor, weights: Tensor) -> Tensor:
    total = weights.sum()
    return (losses * weights).sum() / torch.where(total > 0, total, torch.ones_like(total))
