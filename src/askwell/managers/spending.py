"""What the budget managers that keep to a rate have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, get_args

from askwell.core.budget import Manager, State
from askwell.errors import InputError, UnknownName
from askwell.functional.budget import left, spent, within

__all__ = ["Spending"]

Spent = Literal["estimated", "counted"]


@dataclass(frozen=True)
class Spending(Manager):
    """A manager that asks only while budget is left, and then where `wants` says so.

    budget  B in [0, 1]: share of the items that may be asked about
    window  w: items over which it is spent
    spent   "estimated": û/w, a sum that forgets, is below B; it starts with a burst of about B·w questions. "counted":
            exact counts, never more than B·seen + 1 questions in all nor than B·w, rounded up, in the last w items
    """

    budget: float = 0.1
    window: int = 100
    spent: Spent = "estimated"

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not 0 <= self.budget <= 1:
            raise InputError(f"budget of {name} is a share from 0 to 1, got {self.budget}", got=self.budget)
        if self.window < 1:
            raise InputError(f"window of {name} must be at least 1 item, got {self.window}", got=self.window)
        if self.spent not in get_args(Spent):
            raise UnknownName("way to count what is spent", self.spent, get_args(Spent))

    @abstractmethod
    def wants(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        """Whether it would ask, while budget is left; its thresholds move here."""

    def start(self, classes: int | None) -> State:
        return {"spent": 0.0} if self.spent == "estimated" else {"seen": 0, "asked": 0, "lately": []}

    def decide(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        if self.spent == "estimated":
            asks = left(memory["spent"], self.budget, self.window) and self.wants(memory, score, *chance)
            memory["spent"] = spent(memory["spent"], asks, self.window)
            return asks
        return self._counted(memory, score, *chance)

    def _counted(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        seen, lately = memory["seen"], memory["lately"]
        if lately and lately[0] <= seen - self.window:
            lately.pop(0)
        free = within(seen, memory["asked"], len(lately), self.budget, self.window)
        asks = free and self.wants(memory, score, *chance)
        if asks:
            lately.append(seen)
        memory["seen"], memory["asked"] = seen + 1, memory["asked"] + asks
        return asks
