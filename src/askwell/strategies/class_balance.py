"""A quota for each predicted class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import LABELS, PROBS, Need
from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.pick import quota, top

__all__ = ["ClassBalance"]


@dataclass(frozen=True)
class ClassBalance(Selector):
    """Gives each predicted class a quota so that labelled counts level up, and takes the best of each class.

    strategy  one that scores every candidate
    shares    (C,) target shares of the labelled counts; uniform when empty

    Probabilities (N, C) for the predicted class, labels (M,) as class indices, and what the inner strategy needs; its
    scores order the batch. A true class may differ from the predicted one. O(N·C + Q log C) beside it.

    One pick at a time goes to the class that is furthest behind its share. Ours; as an optimisation with a penalty on
    class counts: Bengar et al. 2022, arXiv 2110.04543.

    >>> from askwell.strategies import Margin
    >>> [str(need) for need in (Margin() | ClassBalance()).needs]
    ['probs', 'labels@labelled']
    """

    cost: ClassVar[str] = "O(N·C + Q log C)"

    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(share < 0 for share in self.shares):
            raise InputError(f"shares are {self.shares}: none may be below 0", got=self.shares)

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (PROBS, LABELS)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        probs = view[PROBS]
        predicted, classes = probs.argmax(1), probs.shape[1]
        labelled = torch.as_tensor(view[LABELS], dtype=torch.int64).bincount(minlength=classes)
        available = predicted.bincount(minlength=classes)
        picked = []
        for c, share in enumerate(quota(labelled.tolist(), available.tolist(), n, self.shares)):
            if share:
                members = (predicted == c).nonzero()[:, 0]
                picked.append(members[top(scores[members], share, rng)])
        rows = torch.cat(picked)
        rows = rows[top(scores[rows], n, torch.arange(n, device=rows.device))]
        return view.pick(rows, scores[rows])
