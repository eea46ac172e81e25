"""Variance of predicted numbers over draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import MC_PREDICTIONS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.spread import variance

__all__ = ["PredictiveVariance"]


@dataclass(frozen=True)
class PredictiveVariance(ScoreStrategy):
    """Asks where the draws or members of a committee predict numbers that lie far apart: for regression.

    draws  K: passes with dropout, or members such as the trees of a forest

    Draws (N, K, T) of predictions; the score is the variance over the draws, summed over the targets, in squared units
    of the labels. O(N·K·T). It measures what the model does not know, not the noise of the labels.

    Burbidge, Rowland and King 2007, doi:10.1007/978-3-540-77226-2_22 (committees); Tsymbalov, Panov and Shapeev 2018,
    arXiv 1806.09856 (dropout).

    >>> import torch
    >>> strategy = PredictiveVariance(draws=2)
    >>> mc = torch.tensor([[[2.], [2.]], [[1.], [3.]], [[5.], [5.5]]])
    >>> view = View(torch.arange(3), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 1, torch.Generator())
    Batch(ids=tensor([1]), scores=tensor([1.]), ...)
    """

    cost: ClassVar[str] = "O(N·K·T)"

    draws: int = 20

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PREDICTIONS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return variance(view[self.needs[0]])
