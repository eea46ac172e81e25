"""Cluster-Margin: the least decided items, spread over clusters that are made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.linkage import agglomerate
from askwell.functional.pick import round_robin, top, uniform
from askwell.functional.uncertainty import margin

__all__ = ["ClusterMargin"]


@dataclass(frozen=True)
class ClusterMargin(Strategy):
    """Asks in turn from each cluster among the least decided items, the smallest cluster first: for large batches.

    beta       the beta·Q items with the highest 1 − (p₍₁₎ − p₍₂₎) take part: 10 for large pools, 1.25 for small ones
    threshold  clusters are merged up to this average distance between their items; None: as far as clusters·Q are left
    clusters   least number of clusters per item of the first batch, where there is no threshold
    block      items are clustered in random blocks of at most this many

    Probabilities (N, C) and embeddings (N, D). Average linkage, by the model of the first batch; the clusters are the
    strategy's state and serve all later rounds, until the pool has items that are in none. From a cluster a random item
    is asked for; used-up clusters are passed over. Scores are 1 − (p₍₁₎ − p₍₂₎). O(N·block·D) once, then O(N·C).

    Citovsky et al. 2021, arXiv 2107.14263.

    >>> p = torch.tensor([[.6, .4], [.5, .5], [.5, .5], [.52, .48], [.9, .1]])
    >>> z = torch.tensor([[0.], [.1], [.2], [9.], [9.1]])
    >>> view = View(torch.arange(5), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> ClusterMargin(beta=2, threshold=1.0).select(view, 2, torch.Generator().manual_seed(0)).ids
    tensor([3, 1])
    """

    cost: ClassVar[str] = "O(N·block·D) once, then O(N·C)"

    beta: float = 10
    threshold: float | None = None
    clusters: int = 10
    block: int = 2000

    def __post_init__(self) -> None:
        for name, least in (("beta", 1), ("clusters", 1), ("block", 2)):
            if not getattr(self, name) >= least:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least {least}")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        doubt = margin(view[PROBS]).float()
        known = _remembered(view)
        cluster = self._clustered(view, n, rng) if known is None else known
        rows = top(doubt, ceil(min(len(view), self.beta * n)), rng)
        picked = rows[round_robin(cluster[rows], n, uniform(len(rows), rng))]
        return view.pick(picked, doubt[picked], state=_state(view, cluster) if known is None else None)

    def _clustered(self, view: View, n: int, rng: Generator) -> Tensor:
        least = self.clusters * n
        return agglomerate(view[EMBEDDING], rng, block=self.block, least=least, threshold=self.threshold)


def _state(view: View, cluster: Tensor) -> Mapping[str, Any]:
    return {"ids": view.ids.cpu(), "clusters": cluster.cpu()}


def _remembered(view: View) -> Tensor | None:
    """(N,) clusters of an earlier round; None where an item is in none."""
    if not {"ids", "clusters"} <= set(view.state):
        return None
    ids, clusters = (torch.as_tensor(view.state[name]).to(view.ids.device) for name in ("ids", "clusters"))
    places = torch.searchsorted(ids, view.ids).clamp_(max=len(ids) - 1)
    return clusters[places] if bool((ids[places] == view.ids).all()) else None
