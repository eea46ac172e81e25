"""What the budget managers with a moving threshold have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from askwell.core.budget import State
from askwell.errors import InputError
from askwell.functional.budget import moved, quantile
from askwell.managers.spending import Spending

__all__ = ["Moving"]


@dataclass(frozen=True)
class Moving(Spending):
    """A manager that asks where the confidence is below a threshold, which falls when it asks and rises when not.

    rate       s: the share by which the threshold moves
    threshold  θ before the first item
    recompute  when the model has changed, the threshold becomes the B-quantile of the confidences of the last w items:
               a threshold of the old model would ask in a burst
    """

    confidence: ClassVar[bool] = True

    rate: float = 0.01
    threshold: float = 1.0
    recompute: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        if not 0 <= self.rate < 1:
            raise InputError(f"rate of {name} is a share from 0 to below 1, got {self.rate}", got=self.rate)
        if not self.threshold > 0:
            raise InputError(f"threshold of {name} must be above 0, got {self.threshold}", got=self.threshold)

    def start(self, classes: int | None) -> State:
        recent: dict[str, Any] = {"recent": []} if self.recompute else {}
        return {**super().start(classes), "threshold": self.threshold, **recent}

    def decide(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        if self.recompute:
            memory["recent"].append(1 - score)
            del memory["recent"][: -self.window]
        return super().decide(memory, score, *chance)

    def wants(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        asks = 1 - score < float(memory["threshold"]) * self.noise(*chance)
        memory["threshold"] = moved(memory["threshold"], asks, self.rate)
        return asks

    def noise(self, *chance: float) -> float:
        """What the threshold is multiplied with in one comparison."""
        return 1.0

    def renewed(self, state: State) -> State:
        if not state.get("recent"):
            return state
        return {**state, "threshold": quantile(sorted(state["recent"]), self.budget)}
