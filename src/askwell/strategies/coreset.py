"""Core-set selection by k-center greedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import EMBEDDING, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.pick import uniform

__all__ = ["Coreset"]


@dataclass(frozen=True)
class Coreset(Strategy):
    """Asks for the item farthest from all that is labelled or already picked, in the current embedding.

    Embeddings (N, D) and, of the labelled items, (M, D); Euclidean. Without labels the first centre is random. The
    score of a pick is its distance to the nearest centre at that moment. At most O((M + Q)·N·D), memory O(N).

    Sener and Savarese 2018, arXiv 1708.00489, the greedy part; the same walk as FF-Active, Geifman and El-Yaniv 2017,
    arXiv 1711.00941.

    >>> import torch
    >>> z = {EMBEDDING: torch.tensor([[1.], [2.], [3.], [4.], [10.]]), EMBEDDING.at("labelled"): torch.tensor([[0.]])}
    >>> view = View(torch.arange(1, 6), tuple(z), lambda *_: z, sets={"labelled": torch.tensor([0])})
    >>> Coreset().select(view, 2, torch.Generator())
    Batch(ids=tensor([5, 4]), scores=tensor([10.,  4.]), ...)
    """

    cost: ClassVar[str] = "O((M + Q)·N·D)"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        points = Points(*view.whole(EMBEDDING))
        labelled = points.beside(*view.whole(EMBEDDING.at("labelled")))
        cover = k_center(points, n, uniform(len(view), rng), labelled)
        return view.pick(cover.rows, cover.distances)
