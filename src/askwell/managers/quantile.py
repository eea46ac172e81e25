"""A quantile of the latest scores as the threshold, balanced against what was spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from askwell.core.budget import Manager, State
from askwell.errors import InputError
from askwell.functional.budget import Ranked, balanced, quantile

__all__ = ["Quantile"]


@dataclass(frozen=True)
class Quantile(Manager):
    """Asks where the score is among the highest B of the last w; any finite score will do.

    budget     B in [0, 1]: share of the items to ask about
    window     w: scores whose (1 − B)-quantile is the threshold, the item's own among them
    tolerance  so many questions behind the budget lower the threshold by the whole span of the window, ahead of it
               raise it

    Scores on any scale. O(log w) comparisons per item. The first items are asked about whatever they are, for they are
    the highest so far; while all scores of the window are equal every item is asked about, whatever was spent.

    Kottke, Krempl and Spiliopoulou 2015, doi:10.1007/978-3-319-24465-5_12: the balanced incremental quantile filter.

    >>> import torch
    >>> manager = Quantile(budget=0.25, tolerance=10)
    >>> asks, state = manager.walk(manager.start(None), [0.1, 0.5, 0.9, 0.3, 0.6], torch.Generator())
    >>> asks, state["seen"], state["asked"]
    ([True, True, True, False, False], 5, 3)
    """

    budget: float = 0.1
    window: int = 100
    tolerance: float = 50.0

    def __post_init__(self) -> None:
        if not 0 <= self.budget <= 1:
            raise InputError(f"budget of Quantile is a share from 0 to 1, got {self.budget}", got=self.budget)
        for name in ("window", "tolerance"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of Quantile must be above 0, got {getattr(self, name)}")

    def start(self, classes: int | None) -> State:
        return {"scores": [], "seen": 0, "asked": 0}

    def opened(self, state: State) -> dict[str, Any]:
        return {**state, "scores": Ranked(self.window, state["scores"])}

    def closed(self, memory: dict[str, Any]) -> State:
        return {**memory, "scores": list(memory["scores"].arrived)}

    def decide(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        scores: Ranked = memory["scores"]
        scores.push(score)
        memory["seen"] += 1
        threshold = quantile(scores.ordered, 1 - self.budget)
        ahead = self.budget * memory["seen"] - memory["asked"]
        asks = score >= balanced(threshold, scores.span, ahead, self.tolerance)
        memory["asked"] += asks
        return asks
