"""LCMD: largest cluster, maximum distance."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Generator

from askwell.core.needs import EMBEDDING, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import UnknownName
from askwell.functional.distance import Points
from askwell.functional.heaviest import Weight, lcmd
from askwell.functional.pick import uniform

__all__ = ["LCMD"]

log = logging.getLogger("askwell")


@dataclass(frozen=True)
class LCMD(Strategy):
    """Asks for the farthest item of the heaviest cluster around what is labelled or picked: for regression first.

    weight  what a cluster weighs: the sum of its items' squared distances to its centre, "squares", of their
            "distances", or their number, "counts"

    Embeddings (N, D) and, of the labelled items, (M, D); Euclidean, which is the kernel of the last layer's gradients
    where one number is predicted. It covers as core-set does, and prefers where there are many items. Without labels
    the longest embedding comes first. The score of a pick is its distance to its centre. O((M + Q)·N·D), memory O(N).

    Holzmüller et al. 2023, "A Framework and Benchmark for Deep Batch Active Learning for Regression", arXiv 2203.09410.

    >>> import torch
    >>> z = torch.tensor([[1.], [2.], [2.5], [3.], [14.]])
    >>> given = {EMBEDDING: z, EMBEDDING.at("labelled"): torch.tensor([[0.], [10.]])}
    >>> view = View(torch.arange(5), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([5, 6])})
    >>> LCMD().select(view, 3, torch.Generator())
    Batch(ids=tensor([3, 4, 1]), scores=tensor([3., 4., 1.]), ...)
    """

    cost: ClassVar[str] = "O((M + Q)·N·D)"

    weight: Weight = "squares"

    def __post_init__(self) -> None:
        if self.weight not in get_args(Weight):
            raise UnknownName("weight of a cluster", self.weight, get_args(Weight))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        points = Points(*view.whole(EMBEDDING))
        labelled = points.beside(*view.whole(EMBEDDING.at("labelled")))
        found = lcmd(points, n, uniform(len(view), rng), labelled, self.weight)
        copies = int((found.distances == 0).sum())
        if copies:
            log.info("lcmd: %d of %d items lie on labelled ones or earlier picks and are drawn at random", copies, n)
        return view.pick(found.rows, found.distances)
