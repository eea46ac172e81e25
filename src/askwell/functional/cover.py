"""Covering a set of vectors by few of them: farthest-first traversal, also called k-center greedy."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import PoolExhausted
from askwell.functional.distance import Dissimilarity, Points
from askwell.functional.pick import top
from askwell.functional.steps import counting

__all__ = ["Cover", "k_center", "k_center_beside"]

FRESH = 2048
TAKEN = -1.0


class Cover(NamedTuple):
    """What farthest-first traversal chose.

    rows       (n,) int64, in the order of the picks
    distances  (n,) from each pick to its nearest centre before it was picked; for a first pick without centres, the
               radius that it leaves
    radius     the largest distance from any row to its nearest centre at the end
    """

    rows: Tensor
    distances: Tensor
    radius: float


def k_center(space: Dissimilarity, n: int, key: Tensor, centres: Dissimilarity | None = None) -> Cover:
    """Picks n rows, each time the one that is farthest from all centres so far.

    key      (N,): of equally far rows the one with the lower key is picked, and without centres the first pick is
             the row with the lowest key
    centres  rows that count as picked from the start, such as the labelled ones (`Points.beside`)

    The picks of the plain algorithm without its n passes over the pool. A distance that is out of date is an upper
    bound, so only the 2048 rows with the largest bounds are kept up to date. When the best of them no longer beats
    the bounds outside, the whole pool is brought up to date against all new centres by one matrix product.
    At most O((M + n)·N·D), memory O(N + 2048·D). Where distances are a metric, within twice the least radius.

    Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5; Sener and Savarese 2018, arXiv 1708.00489.

    >>> from askwell.functional.distance import Points
    >>> line = Points(torch.tensor([[1.], [2.], [3.], [4.], [10.]]))
    >>> k_center(line, 2, torch.arange(5), line.beside(torch.tensor([[0.]])))
    Cover(rows=tensor([4, 3]), distances=tensor([10.,  4.]), radius=2.0)
    """
    if not 1 <= n <= len(space):
        raise PoolExhausted(n, len(space))
    walk = _FarthestFirst(space, key)
    picks: list[tuple[int, float]] = []
    if centres is not None and len(centres):
        walk.cover(centres)
    else:
        first = int(key.argmin())
        walk.pick(first)
        picks.append((first, walk.farthest()[1]))
    told = counting(n)
    while len(picks) < n:
        row, squared = walk.farthest()
        rows = [row] if squared > 0 else walk.rest()[: n - len(picks)]
        picks += [(row, squared) for row in rows]
        walk.pick(row)
        told(len(picks))
    return _cover(picks, walk.farthest()[1], space.norms)


def k_center_beside(points: Points, rows: Tensor, n: int, key: Tensor, centres: Points) -> Cover:
    """Picks n more rows where some are picked already: `k_center` among the others, with these (m,) as centres too.

    rows     (m,) int64, picked by another rule; m may be 0
    key      (N,), as in `k_center`
    centres  other rows that count as picked, none or more, made by `beside`

    At most O((M + m + n)·N·D), memory O(N·D).

    >>> line = Points(torch.tensor([[1.], [2.], [3.], [4.], [10.]]))
    >>> none = line.beside(torch.empty(0, 1))
    >>> k_center_beside(line, torch.tensor([0]), 2, torch.arange(5), none)
    Cover(rows=tensor([4, 3]), distances=tensor([9., 3.]), radius=1.0)
    """
    left = torch.ones(len(points), dtype=torch.bool, device=rows.device).index_fill_(0, rows, False).nonzero()[:, 0]
    picked = points.take(rows)
    known = torch.cat([centres.take(torch.arange(len(centres), device=rows.device)).rows, picked.rows])
    cover = k_center(points.take(left), n, key.to(left.device)[left], picked.beside(known))
    return cover._replace(rows=left[cover.rows])


def _cover(picks: list[tuple[int, float]], radius: float, like: Tensor) -> Cover:
    rows, squared = zip(*picks, strict=True)
    distances = torch.tensor(squared, dtype=like.dtype, device=like.device).sqrt_()
    return Cover(torch.tensor(rows, device=like.device), distances, radius**0.5)


class _FarthestFirst:
    """The traversal: `bounds` (N,) on squared distances, up to date for the rows of `block` and −1 where picked."""

    def __init__(self, space: Dissimilarity, key: Tensor) -> None:
        self.space, self.key = space, key.to(space.norms.device)
        self.bounds = torch.full_like(space.norms, torch.inf)
        self.recent: list[int] = []
        self.block: Tensor | None = None

    def cover(self, centres: Dissimilarity) -> None:
        """Counts the centres as picked."""
        self.space.lower(self.bounds, centres)

    def pick(self, row: int) -> None:
        """Makes a row a centre."""
        self.recent.append(row)
        self.bounds[row] = TAKEN
        if self.block is not None:
            self._update_block(row)

    def farthest(self) -> tuple[int, float]:
        """The unpicked row that is farthest from all centres, and its squared distance; 0 when all are picked."""
        if self.block is not None:
            best = self.fresh.max(0)
            if best.values > self.outside:
                return int(self.block[best.indices]), float(best.values)
        self._bring_up_to_date()
        row = int(top(self.bounds, 1, self.key))
        return row, max(0.0, float(self.bounds[row]))

    def rest(self) -> list[int]:
        """All rows that are not picked, the lowest key first."""
        rows = (self.bounds > TAKEN).nonzero()[:, 0]
        return rows[self.key[rows].argsort(stable=True)].tolist()

    def _bring_up_to_date(self) -> None:
        if self.recent:
            picked = torch.tensor(self.recent, device=self.bounds.device)
            self.space.lower(self.bounds, self.space.take(picked))
            self.recent = []
        self._choose_block()

    def _choose_block(self) -> None:
        """Keeps the rows with the largest bounds close, in the order of their keys."""
        block = top(self.bounds, min(FRESH, len(self.bounds)), self.key)
        self.block = block[self.key[block].argsort(stable=True)]
        self.close = self.space.take(self.block)
        self.fresh = self.bounds[self.block]
        self.outside = self.bounds.index_fill(0, self.block, TAKEN).amax()

    def _update_block(self, row: int) -> None:
        centre = self.space.take(torch.tensor([row], device=self.bounds.device))
        torch.minimum(self.fresh, self.close.squared(centre)[0], out=self.fresh)
        self.fresh[self.block == row] = TAKEN
