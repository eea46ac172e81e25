"""Asking where the members of a committee disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from askwell.errors import InputError
from askwell.managers.spending import Spending

__all__ = ["Region"]


@dataclass(frozen=True)
class Region(Spending):
    """Asks while budget is left and the score says that the members of a committee disagree.

    slope  e: asks with chance min(1, e·score); None asks wherever the score is above 0, in the region of disagreement
    budget, window, spent  as for `variable`

    Scores that are 0 where all agree and higher where they do not, such as `committee`'s "votes"; those of its "kl" are
    0 but for rounding, which a slope makes harmless. A negative score is refused.
    O(1) per item, one random number each.

    Cohn, Atlas and Ladner 1994, "Improving generalization with active learning", doi:10.1007/BF00993277.

    >>> import torch
    >>> manager = Region(slope=2.0)
    >>> manager.walk(manager.start(2), [0.0, 0.5, 0.7], torch.Generator())[0]
    [False, True, True]
    """

    draws: ClassVar[int] = 1

    slope: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slope is not None and not self.slope > 0:
            raise InputError(f"slope of Region must be above 0, or None, got {self.slope}", got=self.slope)

    def wants(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        if score < 0:
            raise InputError(
                f"manager 'region' reads scores as disagreement, which is never negative, got {score:g}: "
                "use a committee's score, or manager=quantile",
                got=score,
            )
        return score > 0 if self.slope is None else chance[0] < min(1.0, self.slope * score)
