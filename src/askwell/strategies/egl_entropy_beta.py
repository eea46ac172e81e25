"""EGL-Entropy-Beta: word gradients first, entropy later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import NETWORK, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.pick import top, uniform
from askwell.functional.tiles import wide
from askwell.functional.uncertainty import entropy
from askwell.strategies.words import check_least, word_lengths

__all__ = ["EGLEntropyBeta"]


@dataclass(frozen=True)
class EGLEntropyBeta(Strategy):
    """Asks for documents by word gradients and entropy, in a mixture that leaves the gradients as rounds pass.

    least  as for `EGLWord`

    Reads the network as `EGLWord` does, and probabilities (N, C). In round t, counted from 1, a share λ of
    Beta(1, t) is drawn, whose mean 1 / (1 + t) falls; the score is λ·(EGL-word) + (1 − λ)·(entropy), each scaled to
    [0, 1] over the candidates, or 0 where all of them are alike. O(N·C) passes backwards.

    Zhang, Lease and Wallace 2017, "Active Discriminative Text Representation Learning", arXiv 1606.04212. The
    schedule of the shares is an interpretation.

    >>> EGLEntropyBeta().needs == (NETWORK, PROBS)
    True
    """

    one_class: ClassVar[bool] = True
    forms: ClassVar[frozenset[str]] = frozenset({"tokens"})
    cost: ClassVar[str] = "O(N·C) passes backwards"

    least: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self.name, self.least)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK, PROBS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        share = self.share(view, rng)
        words, doubt = word_lengths(self.name, view, self.least), entropy(wide(view[PROBS])).float()
        scores = share * _unit(words) + (1 - share) * _unit(doubt)
        rows = top(scores, n, rng)
        return view.pick(rows, scores[rows])

    def share(self, view: View, rng: Generator) -> float:
        """λ of this round, in [0, 1]: of Beta(1, t) by the inverse of its distribution."""
        left = 1 - float(uniform(1, rng))
        return 1 - float(left ** (1 / max(1, len(view.history))))


def _unit(scores: Tensor) -> Tensor:
    """(N,) scaled to [0, 1]; zeros where all are equal."""
    low, high = scores.aminmax()
    return (scores - low) / (high - low) if high > low else scores - low
