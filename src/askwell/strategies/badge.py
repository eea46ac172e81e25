"""BADGE: batch active learning by diverse gradient embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Generator

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import UnknownName
from askwell.functional.cluster import First, kmeans_plus_plus
from askwell.functional.gradient import Gradients, surprise

__all__ = ["BADGE"]


@dataclass(frozen=True)
class BADGE(Strategy):
    """k-means++ seeding over last-layer gradients at the predicted label: uncertain by length, diverse by direction.

    first  the first pick: "max" the longest gradient (official code), "uniform" any (k-means++ as in the paper),
           "norm" in proportion to squared length

    Probabilities (N, C) and embeddings (N, D) of one forward pass; the gradient is (p − e_ŷ) ⊗ z, kept as its two
    factors. The score of a pick is its squared distance to the picks before it. At most O(Q·N·(C + D)), memory O(N·C).

    Ash et al. 2020, arXiv 1906.03671; factorised distances: arXiv 2306.09910, appendix D.

    >>> import torch
    >>> p = torch.tensor([[.5, .3, .2], [.6, .3, .1], [.4, .4, .2], [.98, .01, .01]])
    >>> z = torch.tensor([[1., 0.], [1., 1.], [0., 2.], [3., 4.]])
    >>> view = View(torch.arange(4), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> BADGE().select(view, 1, torch.Generator())
    Batch(ids=tensor([2]), scores=tensor([2.2400]), ...)
    """

    cost: ClassVar[str] = "O(Q·N·(C + D))"

    first: First = "max"

    def __post_init__(self) -> None:
        if self.first not in get_args(First):
            raise UnknownName("first pick", self.first, get_args(First))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        gradients = Gradients(surprise(*view.whole(PROBS)), *view.whole(EMBEDDING))
        seeding = kmeans_plus_plus(gradients, n, rng, self.first)
        return view.pick(seeding.rows, seeding.potentials)
