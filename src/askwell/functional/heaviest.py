"""The farthest point of the heaviest cluster: far from what is labelled, and where there is much of it."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from askwell.errors import PoolExhausted, UnknownName
from askwell.functional.distance import Points
from askwell.functional.pick import top
from askwell.functional.steps import steps
from askwell.functional.tiles import tiles

__all__ = ["Heaviest", "Weight", "lcmd"]

Weight = Literal["squares", "distances", "counts"]
TAKEN = -1.0
CENTRES = 256


class Heaviest(NamedTuple):
    """What was chosen: `rows` (n,) int64 in order, `distances` (n,) to the nearest centre when each was picked.

    The distance of a first pick without centres is its length.
    """

    rows: Tensor
    distances: Tensor


def lcmd(points: Points, n: int, key: Tensor, centres: Points | None = None, weight: Weight = "squares") -> Heaviest:
    """Picks n rows, each time the one that is farthest from its centre in the heaviest cluster.

    A cluster is the rows nearest to one centre, of equally near ones the older; centres are those given and the picks.

    key      (N,): of equal rows the lower key goes first
    centres  rows that count as picked from the start, such as the labelled ones; with none the longest row comes first
    weight   a cluster weighs the sum of its rows' squared distances to the centre, of their distances, or their number

    O((M + n)·N·D) time, memory O(N).

    Holzmüller et al. 2023, arXiv 2203.09410.

    >>> line = Points(torch.tensor([[1.], [2.], [2.5], [3.], [14.]]))
    >>> lcmd(line, 3, torch.arange(5), line.beside(torch.tensor([[0.], [10.]])))
    Heaviest(rows=tensor([3, 4, 1]), distances=tensor([3., 4., 1.]))
    """
    if not 1 <= n <= len(points):
        raise PoolExhausted(n, len(points))
    if weight not in get_args(Weight):
        raise UnknownName("weight of a cluster", weight, get_args(Weight))
    walk = _Clusters(points, key, weight)
    picks: list[tuple[int, float]] = []
    if centres is not None and len(centres):
        walk.add(centres)
    else:
        picks.append(walk.longest())
    picks += [walk.next() for _ in steps(n - len(picks))]
    rows, squared = zip(*picks, strict=True)
    like = points.norms
    return Heaviest(torch.tensor(rows, device=like.device), torch.tensor(squared).to(like).sqrt_())


class _Clusters:
    """Rows by their nearest centre: `squared` (N,) distances to it, −1 where picked, and `cluster` (N,) its number."""

    def __init__(self, points: Points, key: Tensor, weight: Weight) -> None:
        self.points, self.key, self.weight = points, key.to(points.norms.device), weight
        self.squared = torch.full_like(points.norms, torch.inf)
        self.cluster = torch.zeros(len(points), dtype=torch.int64, device=points.norms.device)
        self.count = 0

    def add(self, centres: Points) -> None:
        """More centres; a row moves to one that is nearer than its own."""
        device = self.squared.device
        for start in range(0, len(centres), CENTRES):
            some = centres.take(torch.arange(start, min(len(centres), start + CENTRES), device=device))
            for where in tiles(len(self.points), len(some), device):
                self._move(self.points.squared(some, where), where)
            self.count += len(some)

    def longest(self) -> tuple[int, float]:
        """Picks the row that is farthest from the origin."""
        origin = Points(-self.points.origin[None], origin=torch.zeros_like(self.points.origin))
        squared = self.points.squared(origin)[0]
        row = int(top(squared, 1, self.key))
        return self._picked(row), float(squared[row])

    def next(self) -> tuple[int, float]:
        """Picks from the heaviest cluster; where clusters weigh the same, the farthest row of them."""
        left = self.squared > TAKEN
        weights = {"squares": self.squared, "distances": self.squared.clamp(min=0).sqrt_(), "counts": left}
        shares = weights[self.weight].double() * left
        sums = shares.new_zeros(self.count).index_add_(0, self.cluster, shares)
        rows = (left & (sums[self.cluster] == sums.max())).nonzero()[:, 0]
        row = int(rows[top(self.squared[rows], 1, self.key[rows])])
        squared = float(self.squared[row])
        return self._picked(row), squared

    def _picked(self, row: int) -> int:
        self.add(self.points.take(torch.tensor([row], device=self.squared.device)))
        self.squared[row] = TAKEN
        return row

    def _move(self, squared: Tensor, where: slice) -> None:
        nearest = squared.min(0)
        closer = nearest.values < self.squared[where]
        self.squared[where] = torch.where(closer, nearest.values, self.squared[where])
        self.cluster[where] = torch.where(closer, nearest.indices + self.count, self.cluster[where])
