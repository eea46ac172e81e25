"""How wide balls around items may be before they hold items of two kinds."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.functional.distance import Space
from askwell.functional.tiles import tiles

__all__ = ["nearest_other", "pure_radius"]

CENTRES = 256
SHORTER = 1e-6


def nearest_other(space: Space, kinds: Tensor) -> Tensor:
    """(N,) distance from each row to the nearest row of another kind; infinite where there is none. O(N²·D).

    kinds (N,) int64, such as classes or clusters. Memory for one tile.

    >>> from askwell.functional.distance import Points
    >>> nearest_other(Points(torch.tensor([[0.], [1.], [3.]])), torch.tensor([0, 0, 1]))
    tensor([3., 2., 2.])
    """
    nearest = torch.full_like(space.norms, torch.inf)
    for rows in torch.split(torch.arange(len(space), device=nearest.device), CENTRES):
        centres = space.take(rows)
        for where in tiles(len(space), len(rows), nearest.device):
            same = kinds[rows, None] == kinds[where]
            squared = space.squared(centres, where).masked_fill_(same, torch.inf)
            torch.minimum(nearest[where], squared.amin(0), out=nearest[where])
    return nearest.sqrt_()


def pure_radius(space: Space, kinds: Tensor, purity: float = 0.95) -> float:
    """The largest radius at which a share `purity` of the balls around the rows hold rows of one kind only.

    A ball is open: it holds what is nearer than the radius. Exact, and not the best of a grid: it is the (1 − purity)
    quantile of the distances to the nearest row of another kind, a millionth shorter. Infinite where all rows are of
    one kind. O(N²·D).

    Yehuda et al. 2022, arXiv 2205.11320, section 4, where the kinds are the clusters of k-means.

    >>> from askwell.functional.distance import Points
    >>> line = Points(torch.tensor([[0.], [1.], [3.], [7.]]))
    >>> round(pure_radius(line, torch.tensor([0, 0, 1, 1]), .5), 3), round(pure_radius(line, torch.arange(4), 1), 3)
    (3.0, 1.0)
    """
    nearest = nearest_other(space, kinds).sort().values
    impure = int((1 - purity) * len(nearest) + SHORTER)
    return float(nearest[min(impure, len(nearest) - 1)]) * (1 - SHORTER)
