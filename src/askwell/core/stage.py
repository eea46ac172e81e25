"""Compositions: prefilters, one strategy and, where that is a score, one selector, joined by `|`.

A stage is a strategy around another one. By itself it has a place for that one and chooses nothing; `|` fills the
place, so that `Subsample(size=1000) | Margin() | Power(beta=1.0)` is
`Subsample(strategy=Power(strategy=Margin(), beta=1.0), size=1000)`: one value, one JSON, one hash.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import Need
from askwell.core.registry import snake
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.pick import filled, uniform

__all__ = ["Prefilter", "Selector", "Stage", "compose", "score_of", "stages"]

ALLOWED = "prefilters, one strategy and, where that is a score, one selector: subsample(size=1000) | margin | power"


@dataclass(frozen=True)
class Stage(Strategy):
    """A strategy around another one: it is a `Prefilter` before it or a `Selector` after it.

    strategy  the other one; None in a stage that stands by itself, which chooses nothing

    What the other one declares (that it needs labels, may ask again, reads one class per item) holds for both. A
    subclass that has a `__post_init__` calls this one.
    """

    example: ClassVar[str] = ""

    strategy: Strategy | None = None

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if "__repr__" not in vars(cls):
            cls.__repr__ = Stage.__repr__  # type: ignore[method-assign] # a dataclass keeps a repr that is there

    def __post_init__(self) -> None:
        if self.strategy is not None:
            object.__setattr__(self, "cold_start", self.cold_start and self.strategy.cold_start)
            object.__setattr__(self, "one_class", self.one_class or self.strategy.one_class)
            object.__setattr__(self, "partial", self.strategy.partial)
            object.__setattr__(self, "asks", self.strategy.asks)

    def __repr__(self) -> str:
        return " | ".join(map(_alone, stages(self)))

    @property
    def name(self) -> str:
        """Names of all stages, joined: "subsample-margin-power"."""
        return "-".join(snake(type(one).__name__) for one in stages(self))

    @property
    def own_needs(self) -> tuple[Need, ...]:
        """What the stage itself reads, beside what the strategy reads."""
        return ()

    @property
    def needs(self) -> tuple[Need, ...]:
        return tuple(dict.fromkeys((*self.own_needs, *self.inner.needs)))

    def check_whole(self) -> None:
        """Raises `InputError` where a strategy is missing, in this stage or in one inside it."""
        if isinstance(self.inner, Stage):
            self.inner.check_whole()

    @property
    def inner(self) -> Strategy:
        """The strategy that this stage stands around; raises `InputError` where there is none."""
        if self.strategy is None:
            name = snake(type(self).__name__)
            raise InputError(f"{name} chooses nothing by itself: write {self.example.format(name)}", got=self)
        return self.strategy


@dataclass(frozen=True)
class Prefilter(Stage):
    """Keeps some of the candidates: what comes after it sees only those, and nothing else is computed for the others.

    leaves  how many are kept, in the letters of docs/shapes.md and its settings; at least Q and at most N
    """

    example: ClassVar[str] = "{0} | margin"
    leaves: ClassVar[str] = "N"

    @abstractmethod
    def keep(self, view: View, n: int, rng: Generator) -> Tensor:
        """(k,) int64 distinct rows of the view to keep; where they are fewer than n, random others are added."""

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        rows = self.keep(view, n, rng)
        if len(rows) < n:
            rows = filled(rows, n, torch.zeros(len(view), device=rows.device), uniform(len(view), rng))
        inner = self.inner
        return inner.select(view if len(rows) == len(view) else view.narrow(rows, inner.needs), n, rng)


@dataclass(frozen=True)
class Selector(Stage):
    """Chooses a batch by the scores of all candidates, in place of taking the best."""

    example: ClassVar[str] = "margin | {0}"

    strategy: ScoreStrategy | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy is not None and not isinstance(self.strategy, ScoreStrategy):
            name = snake(type(self).__name__)
            raise InputError(
                f"{name} needs a strategy that scores every candidate, got {self.strategy!r}", got=self.strategy
            )

    @abstractmethod
    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        """Chooses n candidates by their scores (N,) float32."""

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        for need in self.own_needs:
            view.whole(need)  # in one pass with what the score reads
        score = self.inner
        assert isinstance(score, ScoreStrategy)
        return self.pick(score.scores(view), view, n, rng)


def stages(strategy: Strategy) -> tuple[Strategy, ...]:
    """The parts of a composition from first to last, each by itself; of any other strategy itself alone.

    >>> from askwell.strategies import Margin, Power, Subsample
    >>> stages(Subsample(Power(Margin()), size=100))
    (Subsample(size=100), Margin(), Power(beta=1.0))
    """
    if not isinstance(strategy, Stage) or strategy.strategy is None:
        return (strategy,)
    own, inner = replace(strategy, strategy=None), stages(strategy.strategy)
    return (*inner, own) if isinstance(strategy, Selector) else (own, *inner)


def compose(*parts: Strategy) -> Strategy:
    """The composition of these parts; what `|` does. Prefilters alone make one that still has a place for a strategy.

    Raises `InputError` naming the part that is in the wrong place and what is allowed.

    >>> from askwell.strategies import Margin, Power, Subsample
    >>> compose(Subsample(size=100), Margin(), Power()) == Subsample(Power(Margin()), size=100)
    True
    """
    row = [stage for part in parts for stage in stages(part)]
    before = 0
    while before < len(row) and isinstance(row[before], Prefilter):
        before += 1
    inner = _chosen(row, before)
    for prefilter in reversed(row[:before]):
        inner = replace(prefilter, strategy=inner)  # type: ignore[type-var] # a strategy is a dataclass by contract
    assert inner is not None
    return inner


def score_of(strategy: Strategy) -> ScoreStrategy | None:
    """The score of a composition, or None where it ends in a strategy that chooses a set or has no strategy yet."""
    return next((one for one in stages(strategy) if isinstance(one, ScoreStrategy)), None)


def _chosen(row: list[Strategy], before: int) -> Strategy | None:
    """What comes after the prefilters: a strategy, or a selector around a score."""
    rest = row[before:]
    if rest and isinstance(rest[0], Selector) and len(row) > 1:
        raise _misplaced(row, before, "a selector, and no score comes before it")
    for place, one in enumerate(rest[1:], before + 1):
        if isinstance(one, Prefilter):
            raise _misplaced(row, place, f"a prefilter, and comes after {_alone(rest[0])}")
        if not isinstance(one, Selector):
            raise _misplaced(row, place, f"a second strategy after {_alone(rest[0])}")
        if place > before + 1:
            raise _misplaced(row, place, f"a second selector after {_alone(rest[1])}")
        if not isinstance(rest[0], ScoreStrategy):
            raise _misplaced(row, place, f"a selector, and {_alone(rest[0])} chooses a set and gives no scores")
    return replace(rest[1], strategy=rest[0]) if len(rest) > 1 else next(iter(rest), None)  # type: ignore[type-var]


def _misplaced(row: list[Strategy], place: int, why: str) -> InputError:
    text = " | ".join(map(_alone, row))
    return InputError(
        f"{text}: stage {place + 1}, {_alone(row[place])}, is {why}; a composition is {ALLOWED}", got=text
    )


def _alone(strategy: Strategy) -> str:
    """One part of a composition in words."""
    if not isinstance(strategy, Stage):
        return repr(strategy)
    shown = [field.name for field in fields(strategy) if field.repr and field.name != "strategy"]
    settings = ", ".join(f"{name}={getattr(strategy, name)!r}" for name in shown)
    return f"{type(strategy).__qualname__}({settings})"
