"""Two methods measured on the same seeds: what lies between them, seed by seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from askwell.errors import InputError
from askwell.metrics.curves import mean_interval

__all__ = ["Paired", "paired_interval"]


class Paired(NamedTuple):
    """Mean of the differences of `pairs` pairs, and the ends of their t-interval; NaN ends for one pair."""

    difference: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.difference:+.4f} ({self.low:+.4f} to {self.high:+.4f}, {self.pairs} pairs)"


def paired_interval(one: ArrayLike, other: ArrayLike, level: float = 0.95) -> Paired:
    """How far `one` (n,) lies above `other` (n,), value i of both being of one seed: the two-sided paired t-interval.

    Raises `InputError` where the values cannot be paired. What the seeds have in common cancels, so that the interval
    is narrower than that of two independent samples. Student 1908, doi:10.1093/biomet/6.1.1. O(n).

    >>> print(paired_interval([.60, .62, .61], [.57, .60, .60]))
    +0.0200 (-0.0048 to +0.0448, 3 pairs)
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise InputError(
            f"values of shapes {first.shape} and {second.shape} cannot be paired: give one of each per seed"
        )
    mean, half = mean_interval(first - second, level)
    return Paired(mean, mean - half, mean + half, first.size)
