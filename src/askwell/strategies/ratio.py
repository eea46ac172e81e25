"""Ratio of the second-best class to the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.uncertainty import ratio

__all__ = ["Ratio"]


@dataclass(frozen=True)
class Ratio(ScoreStrategy):
    """Asks where the second-best class is nearly as likely as the best: score p₍₂₎ / p₍₁₎.

    Probabilities (N, C); score in [0, 1]. O(N·C). The margin for two classes; with more it ranks otherwise, for it does
    not fall when both classes lose to the rest.

    Munro 2021, "Human-in-the-Loop Machine Learning", isbn 9781617296741; both scores: Settles 2012,
    doi:10.2200/S00429ED1V01Y201207AIM018.

    >>> import torch
    >>> p = torch.tensor([[.50, .49, .01], [.44, .40, .16], [.34, .33, .33]])
    >>> view = View(torch.arange(3), (PROBS,), lambda *_: {PROBS: p})
    >>> Ratio().select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 2]), scores=tensor([0.9800, 0.9706]), ...)
    """

    confidence: ClassVar[bool] = True

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return ratio(view[PROBS])
