"""k-means: one item from the middle of each cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator

from askwell.core.needs import FEATURES, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.pick import filled
from askwell.functional.prototypes import representatives

__all__ = ["Kmeans"]


@dataclass(frozen=True)
class Kmeans(Strategy):
    """Splits the candidates into as many clusters as items are wanted and asks for the middle of each: diverse alone.

    Features (N, D), fixed ones, so that it needs neither a model nor labels; k-means with Q centres, and of each
    cluster the item nearest to its centre. Where items are equal and clusters stay empty, random others fill the batch.
    O(N·Q·D) per iteration; see `PreClustering` for clusters that labels weigh.

    As a baseline of the field since Zhu et al. 2008, "Active learning with sampling by uncertainty and density",
    doi:10.3115/1599081.1599224.

    >>> z = torch.tensor([[0.], [.4], [.5], [9.], [9.1], [9.3]])
    >>> view = View(torch.arange(6), (FEATURES,), lambda *_: {FEATURES: z})
    >>> sorted(Kmeans().select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 4]
    """

    cost: ClassVar[str] = "O(N·Q·D) per iteration of k-means"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        inner = representatives(view[FEATURES].float(), n, rng)
        return view.pick(filled(inner, n, torch.zeros(len(view), device=inner.device), rng))
