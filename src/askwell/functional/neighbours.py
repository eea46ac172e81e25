"""Nearest neighbours, and contrast: items that look like labelled ones and are predicted otherwise."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from askwell.functional.distance import Points
from askwell.functional.pick import top
from askwell.functional.tiles import tiles, wide
from askwell.functional.uncertainty import plogp

__all__ = ["contrast", "distinct_nearest", "nearest"]

LEAST = torch.finfo(torch.float32).tiny


def nearest(x: Tensor, among: Points) -> Tensor:
    """(n,) int64: which of the N points is nearest to each row of x (n, D); the first of equally near ones.

    O(n·N·D), memory for one tile of distances.

    >>> nearest(torch.tensor([[4.0], [0.4]]), Points(torch.tensor([[0.0], [1.0], [3.0]])))
    tensor([2, 0])
    """
    sought = among.beside(x).take(torch.arange(len(x), device=x.device))
    closest, found = x.new_full((len(x),), torch.inf), torch.zeros(len(x), dtype=torch.int64, device=x.device)
    for where in tiles(len(among), len(x), x.device):
        squared, rows = among.squared(sought, where).min(1)
        closer = squared < closest
        found = torch.where(closer, rows + where.start, found)
        closest = torch.minimum(closest, squared)
    return found


def distinct_nearest(x: Tensor, among: Points, rng: Generator) -> Tensor:
    """(n,) int64 distinct: for each row of x (n, D) in turn the nearest of the N >= n points that is still free.

    Of equally near ones any, by the generator. O(n·N·D), memory O(N).

    >>> line = Points(torch.tensor([[0.0], [1.0], [3.0]]))
    >>> distinct_nearest(torch.tensor([[0.4], [0.3]]), line, torch.Generator().manual_seed(0))
    tensor([0, 1])
    """
    sought, found = among.beside(x), torch.empty(len(x), dtype=torch.int64, device=x.device)
    taken = torch.zeros(len(among), dtype=torch.bool, device=x.device)
    for place in range(len(x)):
        squared = among.squared(sought.take(torch.tensor([place], device=x.device)))[0]
        found[place] = top(-squared.masked_fill_(taken, torch.inf), 1, rng)[0]
        taken[found[place]] = True
    return found


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
