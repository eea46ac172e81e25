"""Pseudo-labels: what a net says about items that nobody has labelled, and how long that counts.

They live in the fit and never enter the label store: no pseudo-label is anybody's answer, and none costs budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from askwell.core.scheme import Draw
from askwell.errors import BadShape, UnknownName
from askwell.training.kept import Kept

__all__ = ["Policy", "PseudoLabels", "PseudoStore"]

Policy = Literal["volatile", "sticky", "relabelled"]


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """Some unlabelled items with labels of a net; a value, all tensors in the same order.

    ids   (n,) int64, ascending
    y     (n,) int64 classes, or (n, C) soft labels
    w     (n,) weights in the loss
    born  (n,) int64: the round in which each was last taken in

    >>> held = PseudoLabels.none()
    >>> ids, y = torch.tensor([2, 5, 9]), torch.tensor([0, 1, 1])
    >>> held = held.renewed(ids, y, torch.tensor([True, False, True]), round=0, policy="volatile")
    >>> held.ids.tolist(), held.y.tolist()
    ([2, 9], [0, 1])
    """

    ids: Tensor
    y: Tensor
    w: Tensor
    born: Tensor

    @classmethod
    def none(cls, soft: int = 0) -> PseudoLabels:
        """No item; `soft` is C where labels are soft."""
        ids, y, born = (torch.empty(0, dtype=torch.int64) for _ in range(3))
        return cls(ids, torch.empty(0, soft) if soft else y, torch.empty(0), born)

    def __len__(self) -> int:
        return len(self.ids)

    def renewed(
        self, ids: Tensor, y: Tensor, sure: Tensor, *, round: int, policy: Policy, w: Tensor | None = None
    ) -> PseudoLabels:
        """The labels after a look at the unlabelled items: ids (N,) ascending, y (N,) or (N, C), sure (N,) bool.

        volatile    the sure items with what is said now, and nothing else: what is no longer sure is let go
        relabelled  an item stays once it was sure, with what is said now
        sticky      an item stays once it was sure, with what was said then
        Items that are not among `ids` are dropped under every policy: an oracle's label has taken their place.
        w  (N,) weights, 1 unless given. O(N).

        Scudder 1965, doi:10.1109/TIT.1965.1053799; Lee 2013, "Pseudo-Label", ICML workshop.
        """
        if policy not in get_args(Policy):
            raise UnknownName("policy of pseudo-labels", policy, get_args(Policy))
        if not len(ids) == len(y) == len(sure):
            raise BadShape(f"{len(ids)} ids, {len(y)} labels and {len(sure)} signs of confidence differ in number")
        before = self.among(ids)
        places = torch.searchsorted(ids, before.ids)
        was = torch.zeros_like(sure)
        was[places] = True
        taken = sure if policy == "volatile" else sure | was
        w = torch.ones(len(ids), device=ids.device) if w is None else w
        y, w, born = y.clone(), w.clone(), torch.full_like(ids, round)
        born[places] = before.born
        if policy == "sticky":
            y[places], w[places] = before.y.to(y), before.w
        return PseudoLabels(ids[taken], y[taken], w[taken], born[taken])

    def among(self, ids: Tensor) -> PseudoLabels:
        """Those whose items are among these ids (N,), ascending."""
        there = torch.isin(self.ids, ids, assume_unique=True)
        return PseudoLabels(self.ids[there], self.y[there], self.w[there], self.born[there])

    def draw(self) -> Draw:
        """The rows that a stream takes."""
        return Draw(self.ids, self.y, self.w)

    def purity(self, truth: Tensor) -> float:
        """Share of labels that are right by truth (n,) in the order of the ids, for diagnosis alone; 1 for none."""
        said = self.y if self.y.ndim == 1 else self.y.argmax(1)
        return float((said == truth).float().mean()) if len(self) else 1.0


class PseudoStore(Kept):
    """Pseudo-labels as a module of a fit, so that they are saved and go from round to round.

    >>> store = PseudoStore()
    >>> len(store.labels)
    0
    """

    def __init__(self, soft: int = 0) -> None:
        super().__init__(**vars(PseudoLabels.none(soft)))

    @property
    def labels(self) -> PseudoLabels:
        """What it holds."""
        return PseudoLabels(**dict(self.named_buffers()))

    def hold(self, labels: PseudoLabels) -> None:
        """Replaces what it holds; belongs into `run.act`."""
        self.put(**vars(labels))
