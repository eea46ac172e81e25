"""Margin, also called best-versus-second-best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.uncertainty import margin

__all__ = ["Margin"]


@dataclass(frozen=True)
class Margin(ScoreStrategy):
    """Asks where the two most likely classes are closest: score 1 − (p₍₁₎ − p₍₂₎).

    Probabilities (N, C); score in [0, 1]. O(N·C). With two classes it ranks as least confidence and entropy do.

    Scheffer, Decomain and Wrobel 2001, doi:10.1007/3-540-44816-0_31.

    >>> import torch
    >>> p = torch.tensor([[.50, .49, .01], [.44, .40, .16], [.46, .27, .27]])
    >>> view = View(torch.arange(3), (PROBS,), lambda *_: {PROBS: p})
    >>> Margin().select(view, 1, torch.Generator())
    Batch(ids=tensor([0]), scores=tensor([0.9900]), ...)
    """

    confidence: ClassVar[bool] = True

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return margin(view[PROBS])
