"""The farthest of the most wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.pick import top

__all__ = ["KCenter"]


@dataclass(frozen=True)
class KCenter(Selector):
    """Takes of the most wanted items those that are farthest from what is labelled or picked, one by one.

    beta  the beta·Q items with the highest scores take part; 1 takes them all

    Embeddings (N, D) and, of the labelled items, (M, D), Euclidean, and scores (N,) of the strategy before it, which
    are also the batch's. Without labels the most wanted item comes first; of equally far ones the more wanted.
    O(N + (M + Q)·min(N, beta·Q)·D).

    Greedy k-center: Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5; for active learning Sener and Savarese 2018,
    arXiv 1708.00489.

    >>> from askwell.core.needs import PROBS
    >>> from askwell.strategies import Margin
    >>> p = torch.tensor([[.5, .5], [.55, .45], [.6, .4], [.9, .1]])
    >>> z = torch.tensor([[0.], [1.], [3.], [9.]])
    >>> given = {PROBS: p, EMBEDDING: z, EMBEDDING.at("labelled"): z[:0]}
    >>> view = View(torch.arange(4), tuple(given), lambda *_: given)
    >>> (Margin() | KCenter(beta=1.5)).select(view, 2, torch.Generator().manual_seed(0)).ids
    tensor([0, 2])
    """

    cost: ClassVar[str] = "O(N + (M + Q)·min(N, beta·Q)·D)"

    beta: float = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 1:
            raise InputError(f"beta is {self.beta}: it must be at least 1", got=self.beta)

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        wanted = top(scores, min(len(view), int(self.beta * n)), rng)
        z, among = view.whole(EMBEDDING)
        points = Points(z, wanted if among is None else among[wanted])
        labelled = points.beside(*view.whole(EMBEDDING.at("labelled")))
        rows = wanted[k_center(points, n, torch.arange(len(wanted), device=wanted.device), labelled).rows]
        return view.pick(rows, scores[rows])
