"""Robust core-set: the smallest radius that covers all but a few items."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import EMBEDDING, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.distance import Points
from askwell.functional.pick import uniform
from askwell.functional.robust_cover import robust_cover
from askwell.strategies.sampled import sampled

__all__ = ["RobustCoreset"]

log = logging.getLogger("askwell")


@dataclass(frozen=True)
class RobustCoreset(Strategy):
    """Asks for the items that leave the least distance from any item, but for a few outliers, to a labelled one.

    outliers  share of the candidates that take part which may stay uncovered, rounded down to whole items: by
              default none of fewer than 10,000
    size      at most this many candidates, drawn at random, take part, or Q if that is more: the programs are hard
    seconds   time for them; when it runs out, a warning is logged and the best items so far are asked for, the greedy
              ones at first

    Embeddings (N, D) and, of the labelled items, (M, D); Euclidean. It starts from `Coreset`, whose radius is at most
    twice the least one, and tries smaller radii by mixed-integer programs. 20 of 500 items of 16 numbers take seconds;
    20 of 1000 of 64 numbers are not proven in a minute, and yet better than the greedy ones. Items are asked farthest
    first; the score of a pick is its distance to the nearest centre at that moment. O(N·D·(M + N)) with N at most
    `size`, and the programs.

    Sener and Savarese 2018, "Active Learning for Convolutional Neural Networks: A Core-Set Approach", arXiv 1708.00489.

    >>> import torch
    >>> z = {EMBEDDING: torch.tensor([[1.], [2.], [3.], [4.], [10.]]), EMBEDDING.at("labelled"): torch.tensor([[0.]])}
    >>> view = View(torch.arange(1, 6), tuple(z), lambda *_: z, sets={"labelled": torch.tensor([0])})
    >>> RobustCoreset().select(view, 2, torch.Generator())
    Batch(ids=tensor([5, 3]), scores=tensor([10.,  3.]), ...)
    """

    cost: ClassVar[str] = "O(N + k·D·(M + k)) and integer programs, k = min(N, size)"

    outliers: float = 1e-4
    size: int = 1000
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.outliers < 1:
            raise InputError(f"outliers of 'robust_coreset' is {self.outliers}: it must be at least 0 and below 1")
        if self.size < 1:
            raise InputError(f"size of 'robust_coreset' is {self.size}: it must be at least 1", got=self.size)
        if not self.seconds >= 0:
            raise InputError(f"seconds of 'robust_coreset' is {self.seconds}: it must not be negative")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        view = sampled(view, max(self.size, n), rng)
        points = Points(*view.whole(EMBEDDING))
        labelled = points.beside(*view.whole(EMBEDDING.at("labelled")))
        outliers = int(self.outliers * len(view))
        found = robust_cover(points, n, uniform(len(view), rng), labelled, outliers, self.seconds)
        if not found.proven:
            log.warning(
                "robust_coreset: after %g seconds radius %.4g is not proven to be the least for %d of %d items",
                self.seconds, found.radius, n, len(view),
            )  # fmt: skip
        return view.pick(found.rows, found.distances)
