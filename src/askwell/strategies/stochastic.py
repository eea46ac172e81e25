"""Sampling a batch by score instead of taking the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from torch import Generator

from askwell.core.needs import Need
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.pick import Noise, gumbel, top

__all__ = ["Stochastic"]


@dataclass(frozen=True)
class Stochastic(Strategy):
    """Draws a batch without replacement, with chances that grow with the score: near BatchBALD at the price of BALD.

    strategy  one that scores every candidate
    kind      "power": chance ∝ score^β, scores >= 0, a zero comes last; "softmax": ∝ exp(β·score); "softrank":
              ∝ rank^−β
    beta      > 0; large takes the best, near 0 samples evenly

    Scores (N,) of the inner strategy, which are also the batch's. O(N) beside it, softrank O(N log N).

    Kirsch et al. 2023, arXiv 2106.12059; with BALD and "power" it is PowerBALD.

    >>> from askwell.strategies import BALD
    >>> Stochastic(BALD(), beta=4.0)
    Stochastic(strategy=BALD(draws=20), kind='power', beta=4.0)
    """

    strategy: ScoreStrategy
    kind: Noise = "power"
    beta: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, ScoreStrategy):
            raise InputError(f"stochastic needs a strategy that scores every candidate, got {self.strategy!r}")
        if self.kind not in get_args(Noise):
            raise UnknownName("kind of noise", self.kind, get_args(Noise))
        if not self.beta > 0:
            raise InputError(f"beta is {self.beta}: it must be above 0", got=self.beta)

    @property
    def needs(self) -> tuple[Need, ...]:
        return self.strategy.needs

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.strategy.scores(view)
        rows = top(gumbel(scores, self.kind, self.beta, rng), n, rng)
        return view.pick(rows, scores[rows])
