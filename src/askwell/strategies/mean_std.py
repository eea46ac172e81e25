"""Mean standard deviation of the class probabilities over several draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.information import mean_std

__all__ = ["MeanSTD"]


@dataclass(frozen=True)
class MeanSTD(ScoreStrategy):
    """Asks where the probabilities vary most over the draws: their standard deviation, averaged over the classes.

    draws  K: passes with dropout, or members of a committee

    Draws (N, K, C); the deviation is that of the population, divided by K; score in [0, 1/2], 0 for a deterministic
    model. O(N·K·C).

    Kendall, Badrinarayanan and Cipolla 2015, arXiv 1511.02680; for active learning Gal, Islam and Ghahramani 2017,
    arXiv 1703.02910, who find it weak.

    >>> import torch
    >>> strategy = MeanSTD(draws=2)
    >>> mc = torch.tensor([[[.5, .5], [.5, .5]], [[.9, .1], [.1, .9]]])
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 1, torch.Generator())
    Batch(ids=tensor([1]), scores=tensor([0.4000]), ...)
    """

    cost: ClassVar[str] = "O(N·K·C)"

    draws: int = 20

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return mean_std(view[self.needs[0]])
