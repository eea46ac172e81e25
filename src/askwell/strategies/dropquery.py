"""DropQuery: items whose predicted class flips when features are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from askwell.core.needs import EMBEDDING, HEAD, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.flips import dropout_flips
from askwell.functional.pick import filled, uniform
from askwell.functional.prototypes import representatives

__all__ = ["Dropquery"]

PLENTY = 25


@dataclass(frozen=True)
class Dropquery(Strategy):
    """Drops entries of the last layer's input, keeps the items whose class flips, and asks for the middle of clusters.

    draws  how often each item's class is predicted with dropout
    rate   chance of an entry to be dropped

    Embeddings (N, D) and the head. Items that flip in more than half of the draws are candidates; while there are fewer
    than 25·Q, those that flip less often come in, down to one flip. They are clustered by k-means with Q centres over
    vectors of length one; the nearest to each centre are asked. What is missing is filled up at random, by candidates
    first. Scores are the numbers of flips. O(draws·N·D·C), and O(candidates·Q·D) per iteration of k-means.

    Gupte et al. 2024, "Revisiting Active Learning in the Era of Vision Foundation Models", arXiv 2401.14555.

    >>> z = torch.tensor([[9., 0.], [2., 1.], [8., 0.], [1., 2.]])
    >>> given = {EMBEDDING: z, HEAD: lambda z: z}
    >>> view = View(torch.arange(4), tuple(given), lambda *_: given)
    >>> sorted(Dropquery(draws=40).select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 3]
    """

    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(draws·N·D·C), and O(N·Q·D) per iteration of k-means"

    draws: int = 3
    rate: float = 0.75

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise InputError(f"draws are {self.draws}: there must be at least 1", got=self.draws)
        if not 0 <= self.rate < 1:
            raise InputError(f"rate is {self.rate}: it must be at least 0 and below 1", got=self.rate)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, HEAD)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        z = view[EMBEDDING]
        flips = dropout_flips(z, view[HEAD], self.rate, self.draws, rng)
        rows = self.candidates(flips, n)
        rest = uniform(len(view), rng).to(rows.device).index_add_(0, rows, torch.ones_like(rows).double())
        if len(rows) > n:
            rows = rows[representatives(normalize(z[rows].float()), n, rng)]
        picked = filled(rows, n, rest, rng)
        return view.pick(picked, flips[picked])

    def candidates(self, flips: Tensor, n: int) -> Tensor:
        """Rows that flip more often than the highest threshold that leaves plenty, or than 0."""
        threshold = self.draws // 2
        while threshold > 0 and int((flips > threshold).sum()) < PLENTY * n:
            threshold -= 1
        return (flips > threshold).nonzero()[:, 0]
