"""Predictive entropy."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from askwell.core.needs import PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.uncertainty import entropy

__all__ = ["Entropy"]


@dataclass(frozen=True)
class Entropy(ScoreStrategy):
    """Asks where the whole predictive distribution is least decided: score −Σ p log p in nats.

    Probabilities (N, C); score in [0, log C]. O(N·C). Unlike the margin it counts the tail of unlikely classes.

    Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; for active learning Settles and Craven 2008,
    doi:10.3115/1613715.1613855.

    >>> import torch
    >>> p = torch.tensor([[.50, .49, .01], [.44, .40, .16], [.46, .27, .27]])
    >>> view = View(torch.arange(3), (PROBS,), lambda *_: {PROBS: p})
    >>> Entropy().select(view, 1, torch.Generator())
    Batch(ids=tensor([2]), scores=tensor([1.0642]), ...)
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return entropy(view[PROBS])
