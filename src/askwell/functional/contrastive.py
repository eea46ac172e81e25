"""Loss of contrastive learning: two views of an item are near, those of other items far."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.errors import BadShape, InputError

__all__ = ["nt_xent"]


def nt_xent(one: Tensor, other: Tensor, temperature: float = 0.5) -> Tensor:
    """(2n,) normalised temperature-scaled cross-entropy of two views (n, D) of the same n items, in the same order.

    The loss of a view is −log(exp(s/τ) / Σ exp(s'/τ)), s its cosine similarity to the item's other view, s' to each of
    the 2n − 1 views that are not itself. Of views that say nothing it is log(2n − 1). O(n²·D), for one batch.

    Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", arXiv 2002.05709.

    >>> nt_xent(torch.eye(2), torch.eye(2), 1.0).round(decimals=4)
    tensor([0.5514, 0.5514, 0.5514, 0.5514])
    """
    if one.shape != other.shape or one.ndim != 2:
        raise BadShape(f"views have shapes {tuple(one.shape)} and {tuple(other.shape)} instead of (n, D) twice")
    if not temperature > 0:
        raise InputError(f"temperature must be above 0, got {temperature}", got=temperature)
    z, n = F.normalize(torch.cat([one, other]), dim=1), len(one)
    near = z @ z.T / temperature
    near = near.masked_fill(torch.eye(2 * n, dtype=torch.bool, device=z.device), -torch.inf)
    pairs = torch.arange(2 * n, device=z.device).roll(n)
    return F.cross_entropy(near, pairs, reduction="none")
