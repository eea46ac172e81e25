"""BALD: Bayesian active learning by disagreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.information import bald

__all__ = ["BALD"]


@dataclass(frozen=True)
class BALD(ScoreStrategy):
    """Asks where confident draws contradict each other: score H(mean) − mean H, information about the parameters.

    draws  K; compare at equal K only, the estimate is biased down by about 1/K

    Draws (N, K, C); score in [0, log K] nats, 0 for pure noise. O(N·K·C). A batch takes the best one by one, copies
    included: `BatchBALD` and `Stochastic(BALD())` do not.

    Houlsby et al. 2011, arXiv 1112.5745; with dropout Gal, Islam and Ghahramani 2017, arXiv 1703.02910.

    >>> import torch
    >>> strategy = BALD(draws=2)
    >>> mc = torch.tensor([[[.5, .5], [.5, .5]], [[.9, .1], [.1, .9]]])
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 1, torch.Generator())
    Batch(ids=tensor([1]), scores=tensor([0.3681]), ...)
    """

    cost: ClassVar[str] = "O(N·K·C)"

    draws: int = 20

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return bald(view[self.needs[0]])
