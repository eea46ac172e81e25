"""Contrast: items that look like labelled ones and are predicted otherwise."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.functional.tiles import tiles, wide
from askwell.functional.uncertainty import plogp

__all__ = ["contrast"]

LEAST = torch.finfo(torch.float32).tiny


def contrast(z: Tensor, p: Tensor, labelled_z: Tensor, labelled_p: Tensor, neighbours: int) -> Tensor:
    """Mean over the nearest labelled items l of KL(p_l ‖ p), (N,) nats >= 0.

    z, labelled_z  (N, D) and (M, D): nearest by the angle between them, as between vectors scaled to length one
    p, labelled_p  (N, C) and (M, C) class probabilities
    neighbours     how many labelled items; all M where there are fewer

    A class that the neighbours allow and the item rules out counts with probability 1e-38, so that scores are finite.
    O(N·(M·D + neighbours·C)) time, memory for one tile.

    Margatina et al. 2021, arXiv 2109.03764.

    >>> z, p = torch.ones(2, 1), torch.tensor([[.9, .1], [.6, .4]])
    >>> contrast(z[:1], torch.tensor([[.5, .5]]), z, p, 10)
    tensor([0.1941])
    """
    known, near = wide(labelled_p), min(neighbours, len(labelled_z))
    directions = wide(labelled_z)
    directions = directions / directions.norm(dim=1, keepdim=True).clamp_(min=LEAST)
    certainty = plogp(known).sum(1)
    out = torch.empty(len(z), dtype=known.dtype, device=z.device)
    for where in tiles(len(z), max(len(known), near * known.shape[1], z.shape[1]), z.device):
        found = (wide(z[where]) @ directions.t()).topk(near, dim=1).indices
        log_p = wide(p[where]).clamp(min=LEAST).log_()
        out[where] = certainty[found].mean(1) - (known[found].mean(1) * log_p).sum(1)
    return out.clamp_(min=0)
