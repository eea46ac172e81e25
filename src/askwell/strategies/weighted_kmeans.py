"""The middle of each cluster, where items count by their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.functional.prototypes import middles

__all__ = ["WeightedKmeans"]


@dataclass(frozen=True)
class WeightedKmeans(Selector):
    """Clusters the candidates, each counting by its score, and takes the middle of each cluster.

    weighted  items count by their scores in the k-means; otherwise all alike

    Embeddings (N, D) and scores (N,) of the strategy before it, which are also the batch's; scores below 0 count from
    the lowest on. Where items are equal and clusters stay empty, the best of the others fill the batch. For the most
    wanted alone: `top_share(beta=10) | margin | weighted_kmeans`, a diverse mini-batch. O(N·Q·D) per iteration.

    Zhdanov 2019, arXiv 1901.05954.

    >>> import torch
    >>> from askwell.core.needs import PROBS
    >>> from askwell.strategies import Margin
    >>> p = torch.tensor([[.60, .40], [.55, .45], [.58, .42], [.57, .43]])
    >>> z = torch.tensor([[0.], [1.], [10.], [10.5]])
    >>> view = View(torch.arange(4), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> sorted((Margin() | WeightedKmeans()).select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 3]
    """

    cost: ClassVar[str] = "O(N·Q·D) per iteration of k-means"

    weighted: bool = True

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        rows = middles(view[EMBEDDING].float(), scores, n, rng, self.weighted)
        return view.pick(rows, scores[rows])
