"""Entropy of labels that are each there or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from torch import Tensor

from askwell.core.needs import LABEL_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import UnknownName
from askwell.functional.binary import Reduce, binary_entropy
from askwell.functional.tiles import wide

__all__ = ["BinaryEntropy"]


@dataclass(frozen=True)
class BinaryEntropy(ScoreStrategy):
    """Asks where the labels of an item are least decided, each taken by itself: for items with several labels.

    reduce  "mean": over the labels, so that all of them count; "max": the least decided label alone

    Label probabilities (N, C); the score is the reduced −p log p − (1 − p) log(1 − p), in [0, log 2] nats. O(N·C).
    Correlations between labels are not seen.

    Brinker 2006, "On active learning in multi-label classification", doi:10.1007/3-540-31314-1_24 (the least decided
    label); Esuli and Sebastiani 2009, doi:10.1007/978-3-642-00958-7_12 (mean and maximum).

    >>> import torch
    >>> p = torch.tensor([[.5, 1., .0], [.2, .8, .1], [.9, .9, .1]])
    >>> view = View(torch.arange(3), (LABEL_PROBS,), lambda *_: {LABEL_PROBS: p})
    >>> BinaryEntropy().select(view, 1, torch.Generator())
    Batch(ids=tensor([1]), scores=tensor([0.4420]), ...)
    >>> BinaryEntropy("max").select(view, 1, torch.Generator())
    Batch(ids=tensor([0]), scores=tensor([0.6931]), ...)
    """

    reduce: Reduce = "mean"

    def __post_init__(self) -> None:
        if self.reduce not in get_args(Reduce):
            raise UnknownName("way to reduce", self.reduce, get_args(Reduce))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (LABEL_PROBS,)

    def score(self, view: View) -> Tensor:
        # Near one half the entropy is so flat that scores in half precision would be ties.
        return binary_entropy(wide(view[LABEL_PROBS]), self.reduce)
