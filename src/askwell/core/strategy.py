"""A strategy: a pure function with a name. It declares which tensors it needs and picks items from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, final, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import Need
from askwell.core.pool import Kind
from askwell.core.registry import snake
from askwell.core.view import Batch, View, distinct, finite
from askwell.errors import BadShape, ColdStart, PoolExhausted
from askwell.functional.pick import top
from askwell.functional.steps import counting

__all__ = ["ScoreStrategy", "Strategy"]


class Strategy(ABC):
    """Base of all strategies. A subclass is a frozen dataclass of numbers and nested strategies.

    asks        "unlabelled": each item once; "any": may ask an item again; "made": synthesises items
    cold_start  works with no labels at all; otherwise it is refused by name
    partial     may pick fewer than asked for, even none, as one that decides item by item does
    one_class   reads labels or outputs as one class per item; refused for tasks of another kind
    forms       kinds of items that it takes; a pool of another kind is refused
    cost        what one selection costs, in the letters of docs/shapes.md
    """

    asks: ClassVar[Literal["unlabelled", "any", "made"]] = "unlabelled"
    cold_start: ClassVar[bool] = True
    partial: ClassVar[bool] = False
    one_class: ClassVar[bool] = False
    forms: ClassVar[frozenset[str]] = frozenset(get_args(Kind))
    cost: ClassVar[str] = "O(N)"

    @property
    def name(self) -> str:
        """The name under which `find` and the command line know it."""
        return snake(type(self).__name__)

    @property
    @abstractmethod
    def needs(self) -> tuple[Need, ...]:
        """What it reads from the view; reading anything else is an error."""

    @abstractmethod
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        """Picks n candidates; `select` has checked that 1 <= n <= N."""

    @final
    def __or__(self, other: Strategy) -> Strategy:
        """The composition of this part and the next: prefilters | strategy | selector, see `core.stage`."""
        from askwell.core.stage import compose

        return compose(self, other) if isinstance(other, Strategy) else NotImplemented

    @final
    def select(self, view: View, n: int, rng: Generator) -> Batch:
        """Picks n candidates, distinct by (id, unit, annotator); raises `PoolExhausted` unless 1 <= n <= N.

        Exactly n, unless the strategy is `partial`: then n at most.
        """
        if not 1 <= n <= len(view):
            raise PoolExhausted(n, len(view))
        if not self.cold_start and len(view.ids_of("labelled")) == 0:
            raise ColdStart(f"strategy {self.name!r} needs labelled items and there are none: start with `initial`")
        batch = self.choose(view, n, rng)
        if batch.asked > n or (batch.asked < n and not self.partial):
            raise BadShape(f"strategy {self.name!r} chose {batch.asked} items instead of {n}", got=batch.asked)
        distinct(batch, view, self.asks)
        if batch.scores is not None:
            _check_scores(self.name, batch.scores, len(batch.ids))
        return batch


class ScoreStrategy(Strategy):
    """A strategy that values every candidate and takes the best; ties are broken by a random key.

    rowwise     the score of a row depends on that row alone, so scoring streams over chunks of the pool
    confidence  1 − score is how sure the model is, from 0 to 1: what a threshold on confidence can be compared with
    """

    rowwise: ClassVar[bool] = True
    confidence: ClassVar[bool] = False
    cost: ClassVar[str] = "O(N·C)"
    chunk: ClassVar[int] = 1 << 16

    @abstractmethod
    def score(self, view: View) -> Tensor:
        """(N,) finite; higher = wanted."""

    def scores(self, view: View, score: Callable[[View], Tensor] | None = None) -> Tensor:
        """(N,) float32 scores of the whole view, chunk by chunk where `rowwise`."""
        score = score or self.score
        if not self.rowwise or len(view) <= self.chunk:
            return _scored(self.name, score(view), view)
        out = torch.empty(len(view), dtype=torch.float32, device=view.ids.device)
        told = counting(len(view), "scoring")
        for where, part in view.chunks(self.chunk):
            out[where] = _scored(self.name, score(part), part)
            told(where.stop)
        return out

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = top(scores, n, rng)
        return view.pick(rows, scores[rows])


def _scored(name: str, scores: Tensor, view: View) -> Tensor:
    _check_scores(name, scores, len(view))
    return scores.float()


def _check_scores(name: str, scores: Tensor, n: int) -> None:
    if scores.shape != (n,):
        raise BadShape(
            f"scores of {name!r} have shape {tuple(scores.shape)} instead of ({n},)", got=tuple(scores.shape)
        )
    finite(f"scores of {name!r}", scores)
