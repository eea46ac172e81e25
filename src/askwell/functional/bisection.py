"""Bisection on a line: asking where the labels along an order of the items change."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Line", "line_order"]


def line_order(p: Tensor, c: int, key: Tensor) -> Tensor:
    """Rows by how surely they are of class c, (N,) int64, the surest first.

    By p_c − max p, those that are predicted c by p_c, and equal ones by `key` (N,), the lowest first. p (N, C).

    >>> p = torch.tensor([[.5, .3, .2], [.2, .5, .3], [.45, .35, .2], [.1, .1, .8]])
    >>> line_order(p, 0, torch.arange(4)).tolist(), line_order(p, 2, torch.arange(4)).tolist()
    ([0, 2, 1, 3], [3, 1, 2, 0])
    """
    own = p[:, c]
    lead = own - p.amax(1)
    order = key.to(p.device).argsort(stable=True)
    for level in (torch.where(lead == 0, own, torch.zeros_like(own)), lead):
        order = order[level[order].argsort(descending=True, stable=True)]
    return order


class Line:
    """Items on a line, some of them labelled as of one class or not: where to look for a change of the labels.

    order   (N,) rows along the line
    rows    (M,) labelled rows, `sides` (M,) bool, whether each is of the class

    Memory O(N); a question O(M).

    Zhang, Katz-Samuels and Nowak 2022, arXiv 2202.01402; S², Dasarathy, Nowak and Zhu 2015, arXiv 1506.08760.

    >>> line = Line(np.arange(10), np.array([0, 9]), np.array([True, False]))
    >>> line.middle()
    4
    >>> line.label(4, True)
    >>> line.middle()
    6
    """

    def __init__(self, order: NDArray[np.int64], rows: NDArray[np.int64], sides: NDArray[np.bool_]) -> None:
        self.order = order.astype(np.int32)
        self.place = np.empty_like(self.order)
        self.place[order] = np.arange(len(order), dtype=np.int32)
        sort = self.place[rows].argsort()
        self.places, self.sides = self.place[rows][sort], sides[sort]

    def label(self, row: int, side: bool) -> None:
        """Counts a row as labelled from now on."""
        place = self.place[row]
        at = int(self.places.searchsorted(place))
        self.places = np.insert(self.places, at, place)
        self.sides = np.insert(self.sides, at, side)

    def middle(self) -> int | None:
        """The middle row of the shortest run of unlabelled rows between two labels that differ, if there is one."""
        gaps, changes = self._steps()
        runs = np.flatnonzero(changes & (gaps > 1))
        if not len(runs):
            return None
        run = runs[gaps[runs].argmin()]
        return int(self.order[(self.places[run] + self.places[run + 1]) // 2])

    def beside(self, key: NDArray[np.float64]) -> int | None:
        """The unlabelled row with the fewest steps to a cut, two neighbours with labels that differ; by `key` (N,)."""
        gaps, changes = self._steps()
        cuts = np.flatnonzero(changes & (gaps == 1))
        if not len(cuts):
            return None
        blocks = np.concatenate([[0], (gaps > 1).cumsum()])
        starts, ends = np.searchsorted(blocks, blocks[cuts]), np.searchsorted(blocks, blocks[cuts], "right") - 1
        free = np.concatenate([self.places[starts] - 1, self.places[ends] + 1])
        steps = np.concatenate([self.places[cuts], self.places[ends] + 1 - self.places[cuts + 1]])
        steps[: len(cuts)] -= free[: len(cuts)]
        exists = (free >= 0) & (free < len(self.order))
        nearest = free[exists & (steps == steps[exists].min())] if exists.any() else free[:0]
        rows = self.order[nearest]
        return int(rows[key[rows].argmin()]) if len(rows) else None

    def _steps(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """From each labelled row to the next along the line: how many steps, and whether their labels differ."""
        return np.diff(self.places), self.sides[1:] != self.sides[:-1]
