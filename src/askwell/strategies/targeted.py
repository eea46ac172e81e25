"""What scores share that value a label by what it tells about other items, the targets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import InputError

__all__ = ["Targeted", "drawn_targets", "evenly"]


@dataclass(frozen=True)
class Targeted(ScoreStrategy):
    """A score of each candidate's draws against the draws of some targets.

    draws    K, the same K functions for candidates and targets
    targets  T at most: of the view's target items, or of the candidates where it has none, evenly spaced by id. The
             candidates change every round, and so do these

    With target items a row's score depends on that row alone; it streams over chunks either way.
    """

    draws: int = 100
    targets: int = 100

    def __post_init__(self) -> None:
        if self.targets < 1:
            raise InputError(f"targets of {self.name!r} are {self.targets}: at least 1 is needed", got=self.targets)

    @property
    def needs(self) -> tuple[Need, ...]:
        draws = MC_PROBS(draws=self.draws)
        return (draws, draws.at("targets"))

    @abstractmethod
    def value(self, mc: Tensor, targets: Tensor) -> Tensor:
        """(n,) scores of draws (n, K, C) against those of the targets (T, K, C)."""

    def score(self, view: View) -> Tensor:
        return self.value(view[self.needs[0]], drawn_targets(view, self.needs, self.targets))

    def scores(self, view: View, score: Callable[[View], Tensor] | None = None) -> Tensor:
        targets = drawn_targets(view, self.needs, self.targets)
        return super().scores(view, score or (lambda part: self.value(part[self.needs[0]], targets)))


def drawn_targets(view: View, needs: tuple[Need, ...], most: int) -> Tensor:
    """(T, K, C) draws of at most this many target items; of candidates where there are none.

    needs  the draws of the candidates, and those of the targets

    It looks at a narrow view, so that the draws of all candidates are not computed yet.
    """
    few = view.narrow(evenly(len(view), most).to(view.ids.device), needs)
    own, theirs = needs
    targets: Tensor = few[theirs]
    return targets[evenly(len(targets), most).to(targets.device)] if len(targets) else few[own]


def evenly(n: int, most: int) -> Tensor:
    """At most `most` of n rows, evenly spaced.

    >>> evenly(10, 4), evenly(2, 4)
    (tensor([0, 2, 5, 7]), tensor([0, 1]))
    """
    count = min(n, most)
    return torch.arange(count) * n // max(1, count)
