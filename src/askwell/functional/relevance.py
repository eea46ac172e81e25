"""Drawing items that are uncertain and unlike each other in probability space."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from askwell.errors import PoolExhausted
from askwell.functional.pick import draw
from askwell.functional.steps import steps
from askwell.functional.tiles import tiles, wide
from askwell.functional.uncertainty import margin

__all__ = ["Relevance", "relevant"]

Relevance = Literal["u+d", "d"]


def relevant(
    p: Tensor, n: int, rng: Generator, gamma: float = 10, relevance: Relevance = "u+d"
) -> tuple[Tensor, Tensor]:
    """Draws n distinct rows in proportion to relevance^gamma: rows (n,) int64, and the relevance of each when drawn.

    p          (N, C) class probabilities
    relevance  "u+d": margin uncertainty u plus the distance d scaled to [0, 1] over the rows left, 0 where all are
               equal; "d": the distance as it is

    The distance starts as u and is lowered to the L1 distance from every row drawn. Where no relevance is above 0, rows
    are drawn evenly. O(n·N·C), memory O(N).

    Gilhuber et al. 2024, doi:10.1007/978-3-031-70362-1_25.

    >>> p = torch.tensor([[.50, .49, .01], [.44, .40, .16], [.46, .27, .27], [.9, .05, .05]])
    >>> relevant(p, 3, torch.Generator().manual_seed(0), gamma=float("inf"))
    (tensor([0, 2, 1]), tensor([1.9900, 1.8100, 1.9600]))
    """
    if not 1 <= n <= len(p):
        raise PoolExhausted(n, len(p))
    doubt = wide(margin(p))
    distance, left = doubt.clone(), torch.ones_like(doubt, dtype=torch.bool)
    rows, scores = [], []
    for _ in steps(n):
        level = doubt + _scaled(distance, left) if relevance == "u+d" else distance
        rows.append(draw(_chances(level, left, gamma), rng))
        scores.append(level[rows[-1]])
        left[rows[-1]] = False
        _lower(distance, p, rows[-1])
    return torch.tensor(rows, device=p.device), torch.stack(scores)


def _scaled(distance: Tensor, left: Tensor) -> Tensor:
    """The distance on [0, 1] over the rows left."""
    some = distance[left]
    low, high = some.min(), some.max()
    return (distance - low) / (high - low) if high > low else torch.zeros_like(distance)


def _chances(level: Tensor, left: Tensor, gamma: float) -> Tensor:
    """(N,) level^gamma, 0 where drawn, on a scale on which no power overflows; equal where all would be 0."""
    level = level.double().clamp(min=0) * left
    highest = level.max()
    return (level / highest).pow_(gamma) * left if highest > 0 else left.double()


def _lower(distance: Tensor, p: Tensor, row: int) -> None:
    """Lowers the distance (N,) to the L1 distance from a row, in place."""
    centre = wide(p[row])
    for where in tiles(len(p), p.shape[1], p.device):
        torch.minimum(distance[where], (wide(p[where]) - centre).abs_().sum(1), out=distance[where])
