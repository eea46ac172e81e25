"""Taking the best."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.functional.pick import top

__all__ = ["Top"]


@dataclass(frozen=True)
class Top(Selector):
    """Takes the items with the highest scores, which is what a score does by itself: for ablations of a selector.

    Scores (N,) of the strategy before it; equal ones by a random key. O(N).

    Lewis and Gale 1994, "A sequential algorithm for training text classifiers", doi:10.1007/978-1-4471-2099-5_1.

    >>> from askwell.strategies import Margin
    >>> Margin() | Top()
    Margin() | Top()
    """

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        rows = top(scores, n, rng)
        return view.pick(rows, scores[rows])
