"""Sampling a batch by score instead of taking the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from torch import Generator, Tensor

from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import UnknownName
from askwell.functional.pick import Noise
from askwell.strategies.drawn import check_beta, drawn

__all__ = ["Stochastic"]


@dataclass(frozen=True)
class Stochastic(Selector):
    """Draws a batch without replacement, with chances that grow with the score: near BatchBALD at the price of BALD.

    strategy  one that scores every candidate
    kind      "power": chance ∝ score^β, scores >= 0, a zero comes last; "softmax": ∝ exp(β·score); "softrank":
              ∝ rank^−β
    beta      > 0; large takes the best, near 0 samples evenly

    Scores (N,) of the inner strategy, which are also the batch's. O(N) beside it, softrank O(N log N). `Power`,
    `Softmax` and `Softrank` are its kinds by themselves.

    Kirsch et al. 2023, arXiv 2106.12059; with BALD and "power" it is PowerBALD.

    >>> from askwell.strategies import BALD
    >>> Stochastic(BALD(), beta=4.0)
    BALD(draws=20) | Stochastic(kind='power', beta=4.0)
    """

    kind: Noise = "power"
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in get_args(Noise):
            raise UnknownName("kind of noise", self.kind, get_args(Noise))
        check_beta(self.beta)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        return drawn(scores, self.kind, self.beta, view, n, rng)
