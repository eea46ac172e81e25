"""Keeping one of each group of near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Prefilter
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.duplicates import distinct_rows

__all__ = ["NoDuplicates"]


@dataclass(frozen=True)
class NoDuplicates(Prefilter):
    """Keeps one of each group of near-duplicates, so that a label is not paid for twice.

    similarity  items whose embeddings have at least this cosine are near-duplicates, in (0, 1]

    Embeddings (N, D), compared within clusters of about 1000 items; of a group a random item stays.
    O(N·D·(N/1000 + 1000)).

    Abbas et al. 2023, "SemDeDup", arXiv 2303.09540.

    >>> import torch
    >>> from askwell.strategies import Random
    >>> z = torch.tensor([[1., 0.], [2., .01], [0., 1.], [0., 3.]])
    >>> view = View(torch.arange(4), (EMBEDDING,), lambda *_: {EMBEDDING: z})
    >>> sorted((NoDuplicates() | Random()).select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 3]
    """

    cost: ClassVar[str] = "O(N·D·(N/1000 + 1000))"

    similarity: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.similarity <= 1:
            raise InputError(f"similarity is {self.similarity}: it must be above 0 and at most 1", got=self.similarity)

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def keep(self, view: View, n: int, rng: Generator) -> Tensor:
        return distinct_rows(view[EMBEDDING], self.similarity, rng)
