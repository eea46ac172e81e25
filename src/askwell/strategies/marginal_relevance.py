"""Wanted, and unlike what is picked already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, Need
from askwell.core.stage import Selector
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.kernels import unit
from askwell.functional.marginal_relevance import marginal_relevance
from askwell.functional.pick import uniform

__all__ = ["MarginalRelevance"]


@dataclass(frozen=True)
class MarginalRelevance(Selector):
    """Takes items one by one that are wanted and unlike those taken before: maximal marginal relevance.

    alpha  how much likeness counts against the score, at least 0; 0 takes the best

    Embeddings (N, D) and scores (N,) of the strategy before it, scaled to [0, 1] over the candidates; likeness is the
    largest cosine with an earlier pick. Scores of the batch are those of the strategy. O(Q·N·D), memory O(N).

    Carbonell and Goldstein 1998, doi:10.1145/290941.291025.

    >>> import torch
    >>> from askwell.core.needs import PROBS
    >>> from askwell.strategies import Margin
    >>> p = torch.tensor([[.5, .5], [.51, .49], [.6, .4], [.9, .1]])
    >>> z = torch.tensor([[1., 0.], [1., .1], [0., 1.], [0., 2.]])
    >>> view = View(torch.arange(4), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> (Margin() | MarginalRelevance()).select(view, 2, torch.Generator().manual_seed(0)).ids
    tensor([0, 2])
    """

    cost: ClassVar[str] = "O(Q·N·D)"

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.alpha >= 0:
            raise InputError(f"alpha is {self.alpha}: it must be at least 0", got=self.alpha)

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        space, key = unit(view[EMBEDDING]), uniform(len(view), rng)
        rows = marginal_relevance(_scaled(scores), space, n, key, self.alpha).rows
        return view.pick(rows, scores[rows])


def _scaled(scores: Tensor) -> Tensor:
    """Scores on [0, 1]; 0 where all are equal."""
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else scores - scores
