"""The best of each cluster in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.linkage import agglomerate
from askwell.functional.pick import round_robin, top

__all__ = ["ClusterRoundRobin"]


@dataclass(frozen=True)
class ClusterRoundRobin(Selector):
    """Takes the best item of each cluster in turn, the smallest cluster first, until the batch is full.

    clusters   least number of clusters for each item that is wanted, where there is no threshold
    threshold  clusters are merged up to this average distance between their items
    block      items are clustered in random blocks of at most this many

    Embeddings (N, D), clustered anew in every round by average linkage, and scores (N,) of the strategy before it,
    which are also the batch's. `ClusterMargin` clusters once and draws within a cluster. O(N·block·D).

    The walk of Citovsky et al. 2021, arXiv 2107.14263.

    >>> import torch
    >>> from askwell.core.needs import PROBS
    >>> from askwell.strategies import Margin
    >>> p = torch.tensor([[.6, .4], [.5, .5], [.51, .49], [.9, .1]])
    >>> z = torch.tensor([[0.], [.1], [.2], [9.]])
    >>> view = View(torch.arange(4), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> (Margin() | ClusterRoundRobin()).select(view, 2, torch.Generator().manual_seed(0)).ids
    tensor([3, 1])
    """

    cost: ClassVar[str] = "O(N·block·D)"

    clusters: int = 1
    threshold: float | None = None
    block: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("clusters", 1), ("block", 2)):
            if not getattr(self, name) >= least:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least {least}")

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        cluster = agglomerate(view[EMBEDDING], rng, block=self.block, least=self.clusters * n, threshold=self.threshold)
        rank = top(scores, len(view), rng).argsort()
        rows = round_robin(cluster, n, rank)
        return view.pick(rows, scores[rows])
