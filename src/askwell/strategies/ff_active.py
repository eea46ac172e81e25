"""FF-Active: farthest-first traversal of a network's activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator

from askwell.core.needs import EMBEDDING, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.pick import top, uniform

__all__ = ["FFActive"]


@dataclass(frozen=True)
class FFActive(Strategy):
    """Asks at random in the first rounds, then for the item farthest from all that is labelled or already picked.

    random_rounds  how many rounds are random, so that activations mean something before they are trusted; the labels
                   that a project starts with count as one of them

    Activations, (N, D) of the candidates and (M, D) of the labelled items, are the embedding: the input of the last
    layer unless the learner names another one. Euclidean. The score of a pick is its distance to the nearest centre at
    that moment, 0 in a random round, for which no activation is read. O((M + Q)·N·D), memory O(N).

    After the random rounds it is `Coreset`. Geifman and El-Yaniv 2017, "Deep Active Learning over the Long Tail",
    arXiv 1711.00941.

    >>> z = {EMBEDDING: torch.tensor([[1.], [2.], [3.], [4.], [10.]]), EMBEDDING.at("labelled"): torch.tensor([[0.]])}
    >>> view = View(torch.arange(1, 6), tuple(z), lambda *_: z, sets={"labelled": torch.tensor([0])})
    >>> FFActive().select(view, 2, torch.Generator())
    Batch(ids=tensor([5, 4]), scores=tensor([10.,  4.]), ...)
    """

    cost: ClassVar[str] = "O((M + Q)·N·D)"

    random_rounds: int = 1

    def __post_init__(self) -> None:
        if self.random_rounds < 0:
            raise InputError(f"random_rounds of 'ff_active' is {self.random_rounds}: it must not be negative")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        if max(len(view.history), len(view.ids_of("labelled")) > 0) < self.random_rounds:
            nothing = torch.zeros(len(view), device=view.ids.device)
            return view.pick(top(nothing, n, rng), nothing[:n])
        points = Points(*view.whole(EMBEDDING))
        labelled = points.beside(*view.whole(EMBEDDING.at("labelled")))
        cover = k_center(points, n, uniform(len(view), rng), labelled)
        return view.pick(cover.rows, cover.distances)
