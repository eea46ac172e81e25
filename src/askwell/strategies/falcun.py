"""Falcun: fast active learning by contrastive uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Generator

from askwell.core.needs import PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.relevance import Relevance, relevant

__all__ = ["Falcun"]


@dataclass(frozen=True)
class Falcun(Strategy):
    """Draws items that are undecided and predicted unlike those drawn before: diverse by probabilities alone.

    gamma      an item is drawn in proportion to its relevance to this power: 0 any, infinity the most relevant
    relevance  "u+d" uncertainty plus scaled distance, as in the paper; "d" the distance, as the released code has it

    Probabilities (N, C); no features. Uncertainty u = 1 − (p₍₁₎ − p₍₂₎); the distance d starts as u and is lowered to
    the L1 distance from every pick; of the items left it is scaled to [0, 1]. The score of a pick is its relevance.
    O(Q·N·C), memory O(N).

    Gilhuber et al. 2024, "FALCUN", doi:10.1007/978-3-031-70362-1_25.

    >>> import torch
    >>> p = torch.tensor([[.50, .49, .01], [.44, .40, .16], [.46, .27, .27], [.9, .05, .05]])
    >>> view = View(torch.arange(4), (PROBS,), lambda *_: {PROBS: p})
    >>> Falcun(gamma=float("inf")).select(view, 2, torch.Generator().manual_seed(0))
    Batch(ids=tensor([0, 2]), scores=tensor([1.9900, 1.8100]), ...)
    """

    cost: ClassVar[str] = "O(Q·N·C)"

    gamma: float = 10
    relevance: Relevance = "u+d"

    def __post_init__(self) -> None:
        if not self.gamma >= 0:
            raise InputError(f"gamma is {self.gamma}: it must be at least 0", got=self.gamma)
        if self.relevance not in get_args(Relevance):
            raise UnknownName("relevance", self.relevance, get_args(Relevance))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        rows, scores = relevant(view[PROBS], n, rng, self.gamma, self.relevance)
        return view.pick(rows, scores)
