"""Scores of large committees that are summed up member by member."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from askwell.core.needs import MEAN_ENTROPY, MEAN_PROBS, VOTE_SHARES, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import UnknownName
from askwell.functional.tiles import wide
from askwell.functional.uncertainty import entropy, least_confidence

__all__ = ["EnsembleSearch"]

Kind = Literal["entropy", "bald", "votes"]


@dataclass(frozen=True)
class EnsembleSearch(ScoreStrategy):
    """Asks for large batches where a committee of many networks is unsure; draws are summed up and never stored.

    kind   "entropy": H(mean), all uncertainty. "bald": H(mean) − mean H, what the members disagree about. "votes": 1 −
           share of the members that vote for the most voted class, and among equals the larger H(mean)
    draws  K; as many as the learner's committee has, such as members · checkpoints

    Reads the means of K draws, (N, C) probabilities and (N,) entropies, or the (N, C) shares of votes, so that K costs
    time and no memory. Scores are in nats, or in [0, 1] for votes. O(N·C) beyond the K passes of the learner.

    Chitta, Álvarez, Haussmann and Farabet 2019, "Training Data Subset Search with Ensemble Active Learning",
    arXiv 1905.12737.

    >>> [need.name for need in EnsembleSearch("bald", draws=300).needs]
    ['mean_probs', 'mean_entropy']
    """

    kind: Kind = "entropy"
    draws: int = 12

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UnknownName("kind of ensemble search", self.kind, get_args(Kind))

    @property
    def needs(self) -> tuple[Need, ...]:
        more = {"entropy": (), "bald": (MEAN_ENTROPY(draws=self.draws),), "votes": (VOTE_SHARES(draws=self.draws),)}
        return (MEAN_PROBS(draws=self.draws), *more[self.kind])

    def score(self, view: View) -> Tensor:
        mean, *more = (wide(view[need]) for need in self.needs)
        unsure = entropy(mean)
        if self.kind == "entropy":
            return unsure
        if self.kind == "bald":
            return (unsure - more[0]).clamp(min=0)
        less_than_a_vote = 1 / ((self.draws + 1) * math.log(max(2, mean.shape[1])))
        return torch.add(least_confidence(more[0]), unsure, alpha=less_than_a_vote)
