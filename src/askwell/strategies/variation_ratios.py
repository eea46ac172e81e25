"""Variation ratios, by both definitions in use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import UnknownName
from askwell.functional.information import entropy_of_mean, vr_mean, vr_votes

__all__ = ["VariationRatios"]

Kind = Literal["mean", "votes"]


@dataclass(frozen=True)
class VariationRatios(ScoreStrategy):
    """Asks where stochastic predictions leave their most common class.

    kind   "mean": 1 − max of the averaged prediction (Gal's code). "votes": 1 − share of the draws that vote for the
           most voted class (Freeman, Beluch). That takes at most K values, so the entropy of the mean, scaled to less
           than one vote, is added to decide among equals.
    draws  K

    Draws (N, K, C); score in [0, 1]. O(N·K·C).

    Freeman 1965, "Elementary Applied Statistics"; Gal, Islam and Ghahramani 2017, arXiv 1703.02910; Beluch et al.
    2018, doi:10.1109/CVPR.2018.00976.

    >>> VariationRatios("votes", draws=10).needs[0]["draws"]
    10
    """

    cost: ClassVar[str] = "O(N·K·C)"
    confidence: ClassVar[bool] = True

    kind: Kind = "mean"
    draws: int = 20

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UnknownName("kind of variation ratios", self.kind, get_args(Kind))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        mc: Tensor = view[self.needs[0]]
        if self.kind == "mean":
            return vr_mean(mc)
        less_than_a_vote = 1 / ((mc.shape[1] + 1) * math.log(max(2, mc.shape[2])))
        return torch.add(vr_votes(mc).float(), entropy_of_mean(mc).float(), alpha=less_than_a_vote)
