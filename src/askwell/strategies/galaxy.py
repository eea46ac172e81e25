"""GALAXY: graph-based active learning at the extreme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from askwell.core.needs import LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.bisection import Line, line_order
from askwell.functional.pick import uniform
from askwell.functional.steps import steps
from askwell.functional.tiles import wide

__all__ = ["GALAXY"]


@dataclass(frozen=True)
class GALAXY(Strategy):
    """Puts all items on a line for each class, by how surely they are of it, and bisects to where the labels change.

    Probabilities of the candidates (N, C) and of the labelled items (M, C), and their labels (M,) as class indices. For
    each pick a class is drawn; with two classes there is one line. Of the runs of candidates between a label of the
    class and one of another the shortest is halved; with no such run the candidate with the fewest steps to two
    neighbours of different labels is asked; with none a random one. Within a batch a pick counts as labelled with its
    predicted class. Needs at least one labelled item, and labels of two classes for more than a random choice.
    O(C·N log N), then O(C·(M + Q)) per pick; memory O(N·min(C, Q)).

    Zhang, Katz-Samuels and Nowak 2022, arXiv 2202.01402.

    >>> first = torch.tensor([.95, .9, .8, .7, .6, .5, .4, .3, .2, .1])
    >>> p = torch.stack([first, 1 - first], 1)
    >>> given = {PROBS: p[1:9], PROBS.at("labelled"): p[[0, 9]], LABELS: torch.tensor([0, 1])}
    >>> view = View(torch.arange(1, 9), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([0, 9])})
    >>> GALAXY().select(view, 3, torch.Generator().manual_seed(0)).ids
    tensor([4, 6, 5])
    """

    cold_start: ClassVar[bool] = False
    cost: ClassVar[str] = "O(C·N log N), then O(C·(M + Q)) per pick"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, PROBS.at("labelled"), LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        p = torch.cat([view[PROBS], view[PROBS.at("labelled")]])
        walk = _Walk(wide(p), len(view), torch.as_tensor(view[LABELS]).cpu().numpy(), uniform(len(p), rng))
        classes = 1 if p.shape[1] == 2 else p.shape[1]
        drawn = torch.randint(classes, (n,), generator=rng, device=rng.device).tolist()
        return view.pick(torch.tensor([walk.next(drawn[place]) for place in steps(n)]))


class _Walk:
    """The lines, each made when its class is first drawn; `classes` are those of the labelled rows and of the picks."""

    def __init__(self, p: Tensor, candidates: int, labels: NDArray[np.int64], key: Tensor) -> None:
        self.p, self.key = p, key.cpu()
        self.predicted = p[:candidates].argmax(1).cpu().numpy()
        self.rows = list(range(candidates, len(p)))
        self.classes = labels.tolist()
        self.free = np.ones(candidates, dtype=bool)
        self.waiting = iter(self.key[:candidates].argsort().tolist())
        self.lines: dict[int, Line] = {}

    def next(self, c: int) -> int:
        """Picks a row on the line of class c and counts it as labelled with its predicted class."""
        line = self.lines.get(c) or self._line(c)
        found = line.middle()
        if found is None:
            found = line.beside(self.key.numpy())
        row = next(row for row in self.waiting if self.free[row]) if found is None else found
        self._label(row)
        return row

    def _line(self, c: int) -> Line:
        order = line_order(self.p, c, self.key).cpu().numpy()
        self.lines[c] = Line(order, np.array(self.rows), np.array(self.classes) == c)
        return self.lines[c]

    def _label(self, row: int) -> None:
        label = int(self.predicted[row])
        self.free[row] = False
        self.rows.append(row)
        self.classes.append(label)
        for c, line in self.lines.items():
            line.label(row, label == c)
