"""Least confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.uncertainty import least_confidence

__all__ = ["LeastConfidence"]


@dataclass(frozen=True)
class LeastConfidence(ScoreStrategy):
    """Asks where the most likely class is least likely: score 1 − max p.

    Probabilities (N, C); score in [0, 1 − 1/C]. O(N·C). Takes all copies of an uncertain item.

    Lewis and Gale 1994, arXiv cmp-lg/9407020.

    >>> import torch
    >>> view = View(torch.arange(3), (PROBS,), lambda *_: {PROBS: torch.tensor([[.9, .1], [.5, .5], [.7, .3]])})
    >>> LeastConfidence().select(view, 2, torch.Generator()).ids
    tensor([1, 2])
    """

    confidence: ClassVar[bool] = True

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return least_confidence(view[PROBS])
