"""BALD for items with several labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import MC_LABEL_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.binary import binary_bald

__all__ = ["MultiLabelBALD"]


@dataclass(frozen=True)
class MultiLabelBALD(ScoreStrategy):
    """Asks where confident draws contradict each other about labels: information on the parameters, mean over labels.

    draws  K; compare at equal K only, the estimate is biased down by about 1/K

    Draws (N, K, C) of label probabilities; the score is the mean over labels of H(mean) − mean H, in [0, log 2] nats.
    O(N·K·C). Each label is taken by itself: information that two of them share is counted twice.

    Houlsby et al. 2011, arXiv 1112.5745, for one label; with dropout Gal, Islam and Ghahramani 2017, arXiv 1703.02910.

    >>> import torch
    >>> strategy = MultiLabelBALD(draws=2)
    >>> mc = torch.tensor([[[.5, .5], [.5, .5]], [[.9, .5], [.1, .5]]])
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 1, torch.Generator())
    Batch(ids=tensor([1]), scores=tensor([0.1840]), ...)
    """

    cost: ClassVar[str] = "O(N·K·C)"

    draws: int = 20

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_LABEL_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return binary_bald(view[self.needs[0]])
