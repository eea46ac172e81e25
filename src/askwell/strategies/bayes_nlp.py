"""BALD as Siddhant and Lipton take it: how many of the draws leave the label that most of them give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.information import mean_log_confidence, vr_votes
from askwell.functional.tiles import wide

__all__ = ["BayesNLP"]


@dataclass(frozen=True)
class BayesNLP(ScoreStrategy):
    """Asks where draws give different labels; of equal shares, where the draws are less sure of the labels they give.

    With dropout it is DO-BALD, with Gaussian weights, by scheme `variational`, BB-BALD.

    draws  K

    Draws (N, K, C). Score 1 − count of the most given label / K in [0, 1), plus less than one vote for the mean log
    probability of the labels given: the lower, the sooner. A batch counts sentences. O(N·K·C).

    Siddhant and Lipton 2018, "Deep Bayesian Active Learning for Natural Language Processing", arXiv 1808.05697.

    >>> from askwell.testing import view_of
    >>> mc = torch.tensor([[[.9, .1], [.2, .8]], [[.6, .4], [.3, .7]], [[.6, .4], [.6, .4]]])
    >>> BayesNLP(draws=2).select(view_of(mc_probs=mc), 3, torch.Generator()).ids
    tensor([1, 0, 2])
    """

    cost: ClassVar[str] = "O(N·K·C)"

    draws: int = 100

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        mc = wide(view[self.needs[0]])
        less_than_a_vote = 1 / ((self.draws + 1) * math.log(max(2, mc.shape[2])))
        return torch.sub(vr_votes(mc), mean_log_confidence(mc), alpha=less_than_a_vote)
