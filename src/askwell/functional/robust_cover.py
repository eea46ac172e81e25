"""Covering with a smallest radius, a few outliers aside: a mixed-integer search between greedy bounds."""

from __future__ import annotations

from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.tiles import tiles

__all__ = ["RobustCover", "robust_cover"]

TIE = 1e-6
INFEASIBLE = 2


class RobustCover(NamedTuple):
    """What the search chose: `rows` (n,) int64, farthest first, and the `distances` (n,) of each when it was picked.

    radius  within which all rows but the outliers have a centre
    proven  whether no n rows have a smaller one; False when time ran out
    """

    rows: Tensor
    distances: Tensor
    radius: float
    proven: bool


def robust_cover(
    points: Points, n: int, key: Tensor, centres: Points | None = None, outliers: int = 0, seconds: float = 60.0
) -> RobustCover:
    """Picks the n rows that leave the smallest radius when the `outliers` farthest rows may be left out.

    key      (N,): orders equally far rows
    centres  rows that count as picked from the start, such as the labelled ones
    seconds  time for the search; when it runs out, the best rows so far are kept, the greedy ones at first, and the
             result depends on the speed of the machine

    A radius between two bounds is tried by a mixed-integer program until the bounds meet, each time moved to the next
    distance that occurs. The upper bound starts at the greedy radius. Without outliers no radius is below half of it;
    with outliers one may be, and the lower bound starts at 0. Of several best answers a random one, by the key. O(N²·D)
    and the programs, with N binary variables: N is what a solver can bear, a thousand or so. Memory for the pairs of
    rows that are nearer than the greedy radius.

    Sener and Savarese 2018, arXiv 1708.00489, section 5; solver: HiGHS.

    >>> line = Points(torch.tensor([[1.], [2.], [3.], [4.], [10.]]))
    >>> robust_cover(line, 2, torch.arange(5), line.beside(torch.tensor([[0.]])))
    RobustCover(rows=tensor([4, 2]), distances=tensor([10., 3.]), radius=1.0, proven=True)
    """
    greedy = k_center(points, n, key, centres)
    order = key.to(points.norms.device).argsort(stable=True)
    search = _Search(points.take(order), n, centres, outliers, greedy.radius, monotonic() + seconds)
    rows, radius, proven = search.narrowed(order.argsort()[greedy.rows])
    rows = order[rows]
    walk = k_center(points.take(rows), n, key.to(rows.device)[rows], centres)
    return RobustCover(rows[walk.rows], walk.distances, radius, proven)


class _Search:
    """Pairs of rows by their distances, as far as they are within the greedy radius, and the programs over them.

    known (N,) distances to the nearest given centre
    """

    def __init__(
        self, points: Points, n: int, centres: Points | None, outliers: int, greedy: float, until: float
    ) -> None:
        self.n, self.outliers, self.until, self.size = n, outliers, until, len(points)
        self.rows, self.columns, self.gaps = _pairs(points, greedy * (1 + TIE))
        bounds = torch.full_like(points.norms, torch.inf)
        if centres is not None and len(centres):
            points.lower(bounds, centres)
        self.known = bounds.sqrt_().cpu().double().numpy()

    def narrowed(self, rows: Tensor) -> tuple[Tensor, float, bool]:
        """The best rows that are found from these on, their radius, and whether there are none better."""
        radius = self.radius(rows.cpu().numpy())
        low = self.next_above(-1.0 if self.outliers else radius / 2 * (1 - TIE))
        while low < radius:
            middle = (low + radius) / 2
            found = self.feasible(middle)
            if found is None:
                return rows, radius, False
            if len(found):
                rows, radius = torch.from_numpy(found).to(rows.device), self.radius(found)
            else:
                low = self.next_above(middle)
        return rows, radius, True

    def radius(self, rows: NDArray[np.int64]) -> float:
        """The radius that these rows leave, the outliers aside."""
        nearest, last = self.known.copy(), self.size - 1 - self.outliers
        pairs = np.isin(self.columns, rows)
        np.minimum.at(nearest, self.rows[pairs], self.gaps[pairs])
        return float(np.partition(nearest, last)[last])

    def next_above(self, radius: float) -> float:
        """The smallest distance that occurs and is above a radius; infinite where there is none."""
        found = [side[side > radius] for side in (self.gaps, self.known)]
        return float(min(side.min(initial=np.inf) for side in found))

    def feasible(self, radius: float) -> NDArray[np.int64] | None:
        """n rows that leave no more than this radius, none if there are none, None if time ran out before that."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        cover, left = self._cover(radius)
        aside = cover.shape[1] - self.size
        chosen = np.r_[np.ones(self.size), np.zeros(aside)]
        wanted = [LinearConstraint(chosen, self.n, self.n)]
        wanted += [LinearConstraint(cover, 1, np.inf)] if left else []
        wanted += [LinearConstraint(1 - chosen, 0, self.outliers)] if aside else []
        seconds = self.until - monotonic()
        if seconds <= 0:
            return None
        solved = milp(
            np.zeros(len(chosen)), integrality=chosen, bounds=Bounds(0, 1), constraints=wanted,
            options={"time_limit": seconds},
        )  # fmt: skip
        if solved.x is None:
            return np.empty(0, np.int64) if solved.status == INFEASIBLE else None
        return np.flatnonzero(solved.x[: self.size] > 0.5)

    def _cover(self, radius: float) -> tuple[Any, int]:
        """Which rows cover each row that no centre covers, with a column for each that may be left out instead."""
        from scipy.sparse import csr_array, eye_array, hstack

        left = self.known > radius
        place, count = left.cumsum() - 1, int(left.sum())
        pairs = (self.gaps <= radius) & left[self.rows]
        where = place[self.rows[pairs]], self.columns[pairs]
        cover = csr_array((np.ones(int(pairs.sum())), where), shape=(count, self.size))
        return (hstack([cover, eye_array(count)], format="csr") if self.outliers and count else cover), count


def _pairs(points: Points, most: float) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Rows i and j of all ordered pairs at most so far apart, i = j among them, and their distances."""
    found = []
    for where in tiles(len(points), len(points), points.norms.device):
        some = points.take(torch.arange(where.start, where.stop, device=points.norms.device))
        apart = points.squared(some).sqrt_()
        i, j = (apart <= most).nonzero(as_tuple=True)
        found.append(((i + where.start).int().cpu().numpy(), j.int().cpu().numpy(), apart[i, j].cpu().double().numpy()))
    rows, columns, gaps = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, columns, gaps
