"""Items that an adversary takes for unlabelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import LATENT_SCORE, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View

__all__ = ["LatentScore"]


@dataclass(frozen=True)
class LatentScore(ScoreStrategy):
    """Takes the items whose latent vectors look least like those of labelled items.

    Reads `latent_score` (N,), any real number, higher = looks unlabelled; a scheme with an adversary offers it, such as
    `vaal`. O(N) beyond the forward pass.

    Sinha, Ebrahimi & Darrell 2019, "Variational Adversarial Active Learning", arXiv 1904.00370, section 3.3.

    >>> LatentScore().needs[0].name
    'latent_score'
    """

    cost: ClassVar[str] = "O(N)"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (LATENT_SCORE,)

    def score(self, view: View) -> Tensor:
        """(N,) the need itself."""
        scores: Tensor = view[LATENT_SCORE]
        return scores
