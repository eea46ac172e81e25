"""BEMPS: a batch whose labels would move predictions elsewhere, each in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.cluster import kmeans, nearest_to
from askwell.functional.pick import top
from askwell.functional.targets import Rule, core_mse, epig, prediction_changes
from askwell.strategies.targeted import drawn_targets

__all__ = ["BEMPS"]

MEANS = {"log": epig, "mse": core_mse}


@dataclass(frozen=True)
class BEMPS(Strategy):
    """Asks for labels that would move the predictions for other items much, and each differently: one per cluster.

    rule     the proper score by which a change counts: "log" (CoreLog) or "mse" (CoreMSE)
    share    of the candidates, those with the largest mean change are clustered; at least Q
    draws    K, the same K functions for candidates and targets: members of an ensemble, or passes with dropout
    targets  T at most, of the view's target items; of the candidates, evenly spaced, where it has none

    Draws (N, K, C) and (T, K, C). A candidate is the vector of its changes of the T targets, scaled to length one;
    k-means makes Q clusters of them and the one nearest to each centre is asked, the largest change first. Where one is
    nearest to two, the largest changes left fill the batch. The score of a pick is its mean change, in nats or squared
    distance. O(N·T·K·C²), memory O(N·T).

    Tan, Du and Buntine 2021, "Diversity enhanced active learning with strictly proper scoring rules", arXiv 2110.14171.

    >>> mc = torch.tensor([[[.9, .1], [.1, .9]], [[.1, .9], [.9, .1]], [[.8, .2], [.8, .2]]])
    >>> strategy = BEMPS("mse", draws=2)
    >>> view = View(torch.arange(3), strategy.needs, lambda *_: dict(zip(strategy.needs, (mc, mc[:2]))),
    ...             sets={"targets": torch.arange(3, 5)})
    >>> strategy.select(view, 2, Generator().manual_seed(0)).scores
    tensor([0.2048, 0.2048])
    """

    cost: ClassVar[str] = "O(N·T·K·C²)"

    rule: Rule = "log"
    share: float = 0.5
    draws: int = 5
    targets: int = 600

    def __post_init__(self) -> None:
        if self.rule not in get_args(Rule):
            raise UnknownName("scoring rule", self.rule, get_args(Rule))
        if not 0 < self.share <= 1:
            raise InputError(
                f"share of the candidates is {self.share}: it must be above 0 and at most 1", got=self.share
            )
        if self.targets < 1:
            raise InputError(f"targets of {self.name!r} are {self.targets}: at least 1 is needed", got=self.targets)

    @property
    def needs(self) -> tuple[Need, ...]:
        draws = MC_PROBS(draws=self.draws)
        return (draws, draws.at("targets"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        mc, targets = view[self.needs[0]], drawn_targets(view, self.needs, self.targets)
        scores = MEANS[self.rule](mc, targets)
        kept = top(scores, max(n, round(self.share * len(view))), rng)
        changes = torch.nn.functional.normalize(prediction_changes(mc[kept], targets, self.rule))
        _, centres = kmeans(changes, n, rng)
        rows = kept[_filled(nearest_to(changes, centres), n, len(kept))]
        return view.pick(rows, scores[rows])


def _filled(places: Tensor, n: int, count: int) -> Tensor:
    """Places (n,) among `count`, ascending: those given, each once, and the lowest of the others."""
    taken = torch.zeros(count, dtype=torch.bool, device=places.device).index_fill_(0, places, True)
    rest = (~taken).nonzero()[: n - int(taken.sum()), 0]
    return torch.cat([taken.nonzero()[:, 0], rest]).sort().values
