"""Choosing with the truth in hand: the middle of every class, levelled."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.functional.pick import quota

__all__ = ["balanced_medoids"]


def balanced_medoids(z: Tensor, y: Tensor, counts: Tensor, n: int) -> Tensor:
    """n rows: again and again one of the class with the fewest labels so far, the nearest to the middle of its class.

    z, y     (N, D) embeddings and (N,) true classes of the candidates
    counts   (C,) labels that each class has already; of equal classes the lowest is served first

    The least sum of squared distances to its class is the least distance from its mean. O(N·D + N log N).

    >>> z, y = torch.tensor([[0.], [1.], [5.], [9.]]), torch.tensor([0, 0, 0, 1])
    >>> balanced_medoids(z, y, torch.tensor([1, 0]), 3)
    tensor([1, 0, 3])
    """
    shares = quota(counts.tolist(), y.bincount(minlength=len(counts)).tolist(), n)
    picked = []
    for label, share in enumerate(shares):
        members = (y == label).nonzero()[:, 0]
        if share:
            own = z[members].double()
            picked.append(members[(own - own.mean(0)).square().sum(1).argsort(stable=True)[:share]])
    return torch.cat(picked)
