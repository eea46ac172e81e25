"""Selectors that draw a batch by score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.pick import Noise, gumbel, top

__all__ = ["Drawn", "check_beta", "drawn"]


@dataclass(frozen=True)
class Drawn(Selector):
    """A selector that draws without replacement by one kind of noise; see `functional.gumbel`.

    beta  > 0; large takes the best, near 0 samples evenly
    """

    noise: ClassVar[Noise] = "power"
    cost: ClassVar[str] = "O(N)"

    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.beta)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        return drawn(scores, self.noise, self.beta, view, n, rng)


def check_beta(beta: float) -> None:
    """Refuses an exponent that is not above 0."""
    if not beta > 0:
        raise InputError(f"beta is {beta}: it must be above 0", got=beta)


def drawn(scores: Tensor, kind: Noise, beta: float, view: View, n: int, rng: Generator) -> Batch:
    """n candidates without replacement by `gumbel`, with their scores (N,) as they are."""
    rows = top(gumbel(scores, kind, beta, rng), n, rng)
    return view.pick(rows, scores[rows])
