"""Query by committee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import UnknownName
from askwell.functional.information import bald, entropy_of_mean, vote_entropy

__all__ = ["Committee"]

Disagreement = Literal["votes", "consensus", "kl"]
SCORES = {"votes": vote_entropy, "consensus": entropy_of_mean, "kl": bald}


@dataclass(frozen=True)
class Committee(ScoreStrategy):
    """Asks where the members of a committee disagree most.

    disagreement  "votes": entropy of the shares of members that vote for each class, which takes few values, so that
                  ties are many and broken at random. "consensus": entropy of the averaged prediction, the soft vote.
                  "kl": mean Kullback-Leibler divergence of the members from the average, which is also `BALD`
    draws         K members: of an ensemble or a forest, passes with dropout, checkpoints; 0 for K = 1 but "consensus"

    Predictions of the members (N, K, C); score in nats, at most log min(K, C), log C and log K. O(N·K·C).

    Seung, Opper and Sompolinsky 1992, doi:10.1145/130385.130417; vote entropy: Dagan and Engelson 1995,
    doi:10.1016/B978-1-55860-377-6.50027-X; divergence: McCallum and Nigam 1998, "Employing EM and pool-based active
    learning".

    >>> import torch
    >>> mc = torch.tensor([[[.9, .1], [.4, .6]], [[.9, .1], [.1, .9]], [[.6, .4], [.6, .4]]])
    >>> for disagreement in SCORES:
    ...     strategy = Committee(disagreement, draws=2)
    ...     view = View(torch.arange(3), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    ...     print(disagreement, strategy.scores(view))
    votes tensor([0.6931, 0.6931, 0.0000])
    consensus tensor([0.6474, 0.6931, 0.6730])
    kl tensor([0.1484, 0.3681, 0.0000])
    """

    cost: ClassVar[str] = "O(N·K·C)"

    disagreement: Disagreement = "votes"
    draws: int = 5

    def __post_init__(self) -> None:
        if self.disagreement not in get_args(Disagreement):
            raise UnknownName("kind of disagreement", self.disagreement, get_args(Disagreement))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def score(self, view: View) -> Tensor:
        return SCORES[self.disagreement](view[self.needs[0]])
