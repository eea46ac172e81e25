"""A moving threshold for most items, blind chance for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from askwell.errors import InputError
from askwell.managers.moving import Moving

__all__ = ["Split"]


@dataclass(frozen=True)
class Split(Moving):
    """Asks as `variable` does, but about some items at random: drift is found everywhere.

    explore  ν: chance that an item is decided about at random, with chance B for a question; the threshold stays then
    budget, window, spent, rate, threshold, recompute  as for `variable`

    Scores in [0, 1] that are 1 − confidence. O(1) per item, two random numbers each.

    Žliobaitė, Bifet, Pfahringer and Holmes 2014, doi:10.1109/TNNLS.2012.2236570.

    >>> manager = Split(budget=0.5, explore=0.1)
    >>> memory = dict(manager.start(2))
    >>> manager.decide(memory, 0.0, 0.05, 0.4), manager.decide(memory, 1.0, 0.05, 0.6), memory["threshold"]
    (True, False, 1.0)
    """

    draws: ClassVar[int] = 2

    explore: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.explore <= 1:
            raise InputError(f"explore of Split is a chance from 0 to 1, got {self.explore}", got=self.explore)

    def wants(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        if chance[0] < self.explore:
            return chance[1] < self.budget
        return super().wants(memory, score)
