"""Entropy of the averaged prediction of several draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.information import entropy_of_mean

__all__ = ["MaxEntropy"]


@dataclass(frozen=True)
class MaxEntropy(ScoreStrategy):
    """Asks where the average of the draws is least decided: score H(mean), all uncertainty about the label.

    draws  K: passes with dropout, or members of a committee

    Draws (N, K, C); score in [0, log C] nats. O(N·K·C). It cannot tell noise, where all draws hesitate, from what the
    model does not know, where they contradict each other: `BALD` is the second part alone.

    Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; over dropout Gal, Islam and Ghahramani 2017, arXiv 1703.02910.

    >>> import torch
    >>> strategy = MaxEntropy(draws=2)
    >>> mc = torch.tensor([[[.9, .1], [.7, .3]], [[.9, .1], [.1, .9]]])
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([1, 0]), scores=tensor([0.6931, 0.5004]), ...)
    """

    cost: ClassVar[str] = "O(N·K·C)"

    draws: int = 20

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return entropy_of_mean(view[self.needs[0]])
