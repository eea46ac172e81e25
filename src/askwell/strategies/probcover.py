"""ProbCover: balls of one radius that cover as many items as possible."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator

from askwell.core.needs import FEATURES, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.cluster import kmeans
from askwell.functional.cover import k_center_beside
from askwell.functional.kernels import Ball, highest, unit
from askwell.functional.pick import uniform
from askwell.functional.purity import pure_radius
from askwell.functional.submodular import facility_location

__all__ = ["Probcover"]

log = logging.getLogger("askwell")


@dataclass(frozen=True)
class Probcover(Strategy):
    """Asks for the item whose ball holds the most items that no labelled or picked one holds yet: for few labels.

    delta   radius of the balls, at most 2; None: the largest at which they are pure
    purity  share of the balls that then hold items of one cluster only, of as many clusters of k-means as classes

    Features (N, D) and, of the labelled items, (M, D), scaled to length one. A radius that it has found is the
    strategy's state and serves all later rounds. Once every item is covered, the rest of the batch is farthest-first.
    The score of a pick is the share of all N + M items that it newly covers. O(N²·D): once for the radius, once to
    cover, in practice little more; memory O(N·D).

    Yehuda, Dekel, Hacohen and Weinshall 2022, "Active Learning Through a Covering Lens", arXiv 2205.11320.

    >>> angle = torch.tensor([0., .1, .2, 1., 1.1, 3.])
    >>> z = torch.stack([angle.cos(), angle.sin()], 1)
    >>> needs = Probcover().needs
    >>> view = View(torch.arange(6), needs, lambda *_: {needs[0]: z, needs[1]: z[:0]})
    >>> Probcover(delta=.15).select(view, 2, torch.Generator().manual_seed(0))
    Batch(ids=tensor([1, 4]), scores=tensor([0.5000, 0.3333]), ...)
    """

    cost: ClassVar[str] = "O(N²·D)"

    delta: float | None = None
    purity: float = 0.95

    def __post_init__(self) -> None:
        if self.delta is not None and not self.delta > 0:
            raise InputError(f"delta of 'probcover' is {self.delta}: it must be above 0", got=self.delta)
        if not 0 < self.purity <= 1:
            raise InputError(f"purity of 'probcover' is {self.purity}: it must be above 0 and at most 1")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES, FEATURES.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        space, labelled = (unit(view[need]) for need in self.needs)
        delta, key = self._radius(view, rng), uniform(len(view), rng)
        ball = Ball(delta)
        found = facility_location(space, n, key, ball, floor=highest(ball, space, labelled))
        covering = int((found.gains > 0).sum())
        rows = found.rows[:covering]
        if covering < n:
            log.info(
                "probcover: %d of %d items cover all others; %d more are farthest-first", covering, n, n - covering
            )
            rows = torch.cat([rows, k_center_beside(space, rows, n - covering, key, labelled).rows])
        state = None if self.delta is not None or "delta" in view.state else {"delta": delta}
        return view.pick(rows, found.gains / (len(space) + len(labelled)), state=state)

    def _radius(self, view: View, rng: Generator) -> float:
        """The radius that is given, or was found in an earlier round, or is found now."""
        if self.delta is not None or "delta" in view.state:
            return float(view.state["delta"] if self.delta is None else self.delta)
        if view.num_classes is None:
            raise InputError("probcover cannot find a radius where the number of classes is not known: give `delta`")
        space = unit(torch.cat([view[need] for need in self.needs]))
        clusters, _ = kmeans(space.rows, view.num_classes, rng)
        return min(2.0, pure_radius(space, clusters, self.purity))
