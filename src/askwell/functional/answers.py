"""Who said what of which item: the answers of several annotators, sparse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from askwell.errors import BadShape, InputError

__all__ = ["Answers"]


@dataclass(frozen=True, eq=False)
class Answers:
    """V answers of A annotators about n items of C classes: at most one per annotator and item.

    items, annotators, labels  (V,) int64: row of the item, of the annotator, and the class that he said
    shape                      (n, A, C)

    >>> said = Answers.table(torch.tensor([[0, 0, 1], [1, -1, 1]]), classes=2)
    >>> said.counts.tolist(), said.shape
    ([[2.0, 1.0], [0.0, 2.0]], (2, 3, 2))
    """

    items: Tensor
    annotators: Tensor
    labels: Tensor
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        named = (("item", self.items), ("annotator", self.annotators), ("class", self.labels))
        for (what, rows), size in zip(named, self.shape, strict=True):
            if rows.shape != self.items.shape or rows.ndim != 1 or rows.dtype != torch.int64:
                raise BadShape(f"{what} rows of answers have shape {tuple(rows.shape)} and type {rows.dtype}", got=rows)
            if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < size:
                raise InputError(
                    f"answers name {what} {int(rows.max())} of {size}, counted from 0", got=int(rows.max())
                )

    @classmethod
    def table(cls, table: Tensor, classes: int) -> Answers:
        """From a table (n, A) of classes with −1 in its gaps."""
        if table.ndim != 2:
            raise BadShape(f"a table of answers has shape {tuple(table.shape)} instead of (n, A)", got=table.shape)
        items, annotators = (table >= 0).nonzero(as_tuple=True)
        return cls(items, annotators, table[items, annotators].long(), (*table.shape, classes))

    @classmethod
    def said(
        cls, items: Sequence[int], annotators: Sequence[int], labels: Sequence[int], shape: tuple[int, int, int]
    ) -> Answers:
        """From answers in the order in which they came: of two by one annotator about one item the later counts."""
        newest = {(item, who): label for item, who, label in zip(items, annotators, labels, strict=True)}
        places = torch.tensor(list(newest), dtype=torch.int64).reshape(-1, 2)
        return cls(places[:, 0], places[:, 1], torch.tensor(list(newest.values()), dtype=torch.int64), shape)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def counts(self) -> Tensor:
        """(n, C) float64: how often each class was said of each item."""
        n, _, classes = self.shape
        ones = torch.ones(len(self), dtype=torch.float64, device=self.items.device)
        return ones.new_zeros(n * classes).index_add_(0, self.items * classes + self.labels, ones).view(n, classes)

    @property
    def incidence(self) -> Tensor:
        """(n, A·C) float64, sparse: 1 where annotator a said class l of item i, in column a·C + l."""
        n, annotators, classes = self.shape
        places = torch.stack([self.items, self.annotators * classes + self.labels])
        ones = torch.ones(len(self), dtype=torch.float64, device=self.items.device)
        return torch.sparse_coo_tensor(places, ones, (n, annotators * classes), check_invariants=False).coalesce()
