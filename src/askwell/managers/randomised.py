"""A moving threshold with noise, which also looks where the model is sure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from askwell.errors import InputError
from askwell.managers.moving import Moving

__all__ = ["Randomised"]

LEAST = 2.0**-54
"""A uniform number of 0 counts as this, half the least of the others: its normal one is finite."""


@dataclass(frozen=True)
class Randomised(Moving):
    """Asks as `variable` does, with the threshold times a normal number in each comparison: drift is found everywhere.

    spread  δ: standard deviation of that number, whose mean is 1; 0 is `variable`
    budget, window, spent, rate, threshold, recompute  as for `variable`

    Scores in [0, 1] that are 1 − confidence. O(1) per item, one random number each.

    Žliobaitė, Bifet, Pfahringer and Holmes 2014, doi:10.1109/TNNLS.2012.2236570.

    >>> manager = Randomised(spread=1.0)
    >>> manager.noise(0.5), manager.noise(0.8413447)
    (1.0, 2.0)
    """

    draws: ClassVar[int] = 1

    spread: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.spread >= 0:
            raise InputError(f"spread of Randomised must not be negative, got {self.spread}", got=self.spread)

    def noise(self, *chance: float) -> float:
        return 1 + self.spread * NormalDist().inv_cdf(max(chance[0], LEAST))
