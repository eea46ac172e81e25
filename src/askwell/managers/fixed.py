"""A threshold on the confidence that never moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from askwell.core.budget import State
from askwell.errors import UnmetNeeds
from askwell.functional.budget import fixed_threshold
from askwell.managers.spending import Spending

__all__ = ["Fixed"]


@dataclass(frozen=True)
class Fixed(Spending):
    """Asks while budget is left and the confidence is at most 1/C + B·(1 − 1/C).

    budget, window, spent  as for `variable`

    Scores in [0, 1] that are 1 − confidence. O(1) per item. Where the model is surer than the threshold it asks about
    nothing, whatever the budget; `variable` adapts.

    Žliobaitė, Bifet, Pfahringer and Holmes 2014, doi:10.1109/TNNLS.2012.2236570.

    >>> import torch
    >>> manager = Fixed(budget=0.1)
    >>> asks, state = manager.walk(manager.start(2), [0.45, 0.44, 0.5], torch.Generator())
    >>> state["threshold"], asks
    (0.55, [True, False, True])
    """

    confidence: ClassVar[bool] = True

    def start(self, classes: int | None) -> State:
        if not classes:
            raise UnmetNeeds("manager 'fixed' derives its threshold from the number of classes, and there are none")
        return {**super().start(classes), "threshold": fixed_threshold(classes, self.budget)}

    def wants(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        return 1 - score <= float(memory["threshold"])
