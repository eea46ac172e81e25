"""A random choice among what the net is less sure of than of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.information import entropy_of_mean

__all__ = ["Careful"]


@dataclass(frozen=True)
class Careful(ScoreStrategy):
    """Asks at random among the candidates whose entropy is above the mean entropy of the labelled items.

    draws           K, passes over the candidates; labelled_draws: over the labelled items

    Draws (N, K, C) and (M, K', C). The score is log C for every candidate above the threshold, so that chance decides
    among them; below it, where there are not enough, it is the entropy of the mean, in nats. O(N·K·C + M·K'·C). Needs
    labelled items.

    Rottmann, Kahl & Gottschalk 2018, "Deep Bayesian Active Semi-Supervised Learning", arXiv 1803.01216: its second
    acquisition; the first is `MaxEntropy`.

    >>> Careful(draws=10).needs[1]
    Need(name='mc_probs', over='labelled', kind='rows', params=(('draws', 100),))
    """

    cost: ClassVar[str] = "O(N·K·C)"
    cold_start = False

    draws: int = 10
    labelled_draws: int = 100

    @property
    def needs(self) -> tuple[Need, ...]:
        return MC_PROBS(draws=self.draws), MC_PROBS(draws=self.labelled_draws).at("labelled")

    def score(self, view: View) -> Tensor:
        candidates, labelled = (view[need] for need in self.needs)
        doubt = entropy_of_mean(candidates)
        most = torch.full_like(doubt, candidates.shape[2]).log()
        return torch.where(doubt > entropy_of_mean(labelled).mean(), most, doubt)
