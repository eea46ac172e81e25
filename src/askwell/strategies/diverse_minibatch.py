"""Diverse mini-batch: weighted k-means over what is uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.pick import top
from askwell.functional.prototypes import middles
from askwell.functional.uncertainty import margin

__all__ = ["DiverseMinibatch"]


@dataclass(frozen=True)
class DiverseMinibatch(Strategy):
    """Clusters the least decided items, each counting by how undecided it is, and asks for the middle of each cluster.

    beta      the beta·Q items with the highest 1 − (p₍₁₎ − p₍₂₎) are clustered; 1 is the margin strategy
    weighted  items count by that score in the k-means; otherwise all alike

    Probabilities (N, C) and embeddings (N, D). Q centres minimise Σ_i w_i min_j ‖z_i − μ_j‖², so μ is Σ w z / Σ w; the
    item nearest to each is asked for. Where some items are equal and clusters stay empty, the least decided others of
    the beta·Q fill the batch. Scores are 1 − (p₍₁₎ − p₍₂₎). O(N·C), and O(beta·Q²·D) per iteration of k-means.

    Zhdanov 2019, arXiv 1901.05954.

    >>> import torch
    >>> p = torch.tensor([[.60, .40], [.55, .45], [.58, .42], [.57, .43], [.9, .1]])
    >>> z = torch.tensor([[0.], [1.], [10.], [10.5], [20.]])
    >>> view = View(torch.arange(5), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> sorted(DiverseMinibatch(beta=2).select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 3]
    """

    cost: ClassVar[str] = "O(N·C), and O(beta·Q²·D) per iteration of k-means"

    beta: float = 10
    weighted: bool = True

    def __post_init__(self) -> None:
        if not self.beta >= 1:
            raise InputError(f"beta is {self.beta}: it must be at least 1", got=self.beta)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        doubt = margin(view[PROBS]).float()
        kept = top(doubt, int(min(len(view), self.beta * n)), rng)
        z, among = view.whole(EMBEDDING)
        rows = z[kept if among is None else among[kept]].float()
        picked = kept[middles(rows, doubt[kept], n, rng, self.weighted)]
        return view.pick(picked, doubt[picked])
