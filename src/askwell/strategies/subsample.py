"""Scoring a random part of the candidates."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from askwell.core.needs import Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.pick import uniform

__all__ = ["Subsample"]


@dataclass(frozen=True)
class Subsample(Strategy):
    """Lets a strategy see a uniform sample of the candidates: cheaper, and more diverse.

    strategy  any
    size      how many candidates are sampled, without replacement; at least Q, at most N

    Needs, shapes and scores are the inner strategy's, for `size` candidates instead of N; outputs of the model are
    computed for those only. O(N) beside it. It changes results, so a recipe that uses it says so.

    A fixed sample of 10,000 to 35,000 is common, as in Beluch et al. 2018, doi:10.1109/CVPR.2018.00976.

    >>> from askwell.strategies import Margin
    >>> Subsample(Margin(), 1000).needs == Margin().needs
    True
    """

    strategy: Strategy
    size: int = 10_000

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"size of a subsample is {self.size}: it must be at least 1", got=self.size)

    @property
    def needs(self) -> tuple[Need, ...]:
        return self.strategy.needs

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        size = max(self.size, n)
        if size >= len(view):
            return self.strategy.select(view, n, rng)
        rows = uniform(len(view), rng).argsort()[:size].to(view.ids.device)
        return self.strategy.select(view.narrow(rows), n, rng)
