"""Keeping the middle of each of many clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Prefilter
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.prototypes import representatives

__all__ = ["OnePerCluster"]


@dataclass(frozen=True)
class OnePerCluster(Prefilter):
    """Keeps the middle of each of many clusters: what is typical, once.

    per  clusters for each item that is wanted; per·Q items are kept, fewer where embeddings are equal

    Embeddings (N, D); k-means, and of each cluster the item nearest to its centre. O(N·per·Q·D) per iteration.

    As a set of candidates for an uncertainty in Nguyen and Smeulders 2004, doi:10.1145/1015330.1015349.

    >>> import torch
    >>> from askwell.strategies import Random
    >>> z = torch.tensor([[0.], [.4], [.5], [9.], [9.1], [9.3]])
    >>> view = View(torch.arange(6), (EMBEDDING,), lambda *_: {EMBEDDING: z})
    >>> sorted((OnePerCluster(per=1) | Random()).select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 4]
    """

    cost: ClassVar[str] = "O(N·per·Q·D) per iteration of k-means"
    leaves: ClassVar[str] = "per·Q"

    per: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per < 1:
            raise InputError(f"per is {self.per}: it must be at least 1", got=self.per)

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def keep(self, view: View, n: int, rng: Generator) -> Tensor:
        return representatives(view[EMBEDDING].float(), min(len(view), self.per * n), rng)
