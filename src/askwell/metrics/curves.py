"""Learning curves over labels: areas, intervals over seeds, labels to a target, and paired verdicts.

A curve is one seed's (labels, value) points in order; labels never fall. Higher values are better unless
`less_is_better` says otherwise, as for errors and losses (`askwell.core.task.MINIMISED`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from askwell.errors import InputError

__all__ = [
    "Comparison",
    "Curve",
    "Interval",
    "Saving",
    "area",
    "compare_areas",
    "intervals",
    "labels_to_target",
    "mean_interval",
    "saving",
]

Curve = Sequence[tuple[int, float]]


class Interval(NamedTuple):
    """Mean of `seeds` values at a number of labels, and half of its t-interval; NaN for one seed."""

    labels: int
    mean: float
    half: float
    seeds: int


class Saving(NamedTuple):
    """Share of labels saved; `at_least`: the other curve never got there, so the true share is larger."""

    share: float
    at_least: bool


@dataclass(frozen=True)
class Comparison:
    """Paired difference of areas, one method minus the other, with its 95 % t-interval.

    differences     one per seed; difference ± half is their mean and interval, NaN for one seed
    less_is_better  the verdict is "better" where the difference lies below zero
    """

    differences: tuple[float, ...]
    difference: float
    half: float
    less_is_better: bool = False

    @property
    def verdict(self) -> Literal["better", "worse", "undecided"]:
        """Whether zero lies outside the interval, and on which side.

        Undecided with fewer than two seeds, and where they do not differ at all: that is no measure of spread.
        """
        if not self.half > 0:
            return "undecided"
        gain = -self.difference if self.less_is_better else self.difference
        if gain - self.half > 0:
            return "better"
        return "worse" if gain + self.half < 0 else "undecided"

    def __str__(self) -> str:
        seeds, less = len(self.differences), ", less is better" if self.less_is_better else ""
        found = f"{self.verdict}: area {self.difference:+.4f}"
        if seeds < 2:
            return f"{found} with one seed{less}; an interval needs at least two"
        return f"{found} ± {self.half:.4f} (95 % interval, {seeds} paired seeds{less})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, and the difference of every seed."""
        cells = "".join(f"<td>{difference:+.4f}</td>" for difference in self.differences)
        return f"<div><p>{self}</p><table><tr><th>difference by seed</th>{cells}</tr></table></div>"


def area(curve: Curve) -> float:
    """Area under the curve over its range of labels, divided by that range: a constant curve a gives a.

    Trapezoids; a curve at one number of labels gives its mean. O(rounds).

    >>> area([(100, .5), (200, .7), (400, .8)])
    0.7
    """
    labels, values = _points(curve)
    width = labels[-1] - labels[0]
    return float(np.trapezoid(values, labels) / width if width else values.mean())


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Mean of n values and half of its two-sided t-interval; NaN for one value.

    >>> mean_interval([.60, .62, .58, .61, .59])
    (0.6, 0.0196...)
    """
    from scipy.special import stdtrit

    values = np.asarray(values, np.float64)
    if not values.size:
        raise InputError("there are no values to average")
    n = values.size
    half = stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(values.mean()), float(half)


def intervals(curves: Sequence[Curve]) -> list[Interval]:
    """Mean and 95 % t-interval over the seeds that got there, at each number of labels, ascending.

    >>> intervals([[(10, .5), (20, .7)], [(10, .6)]])
    [Interval(labels=10, mean=0.55, half=0.635..., seeds=2), Interval(labels=20, mean=0.7, half=nan, seeds=1)]
    """
    found: dict[int, list[float]] = {}
    for curve in curves:
        for labels, value in curve:
            found.setdefault(labels, []).append(value)
    return [Interval(labels, *mean_interval(found[labels]), len(found[labels])) for labels in sorted(found)]


def labels_to_target(curve: Curve, target: float, less_is_better: bool = False) -> float | None:
    """Labels at which the curve first reaches the target, between points by a straight line; None: not reached.

    Nothing is extrapolated: a curve that begins beyond the target gives its first number of labels.

    >>> labels_to_target([(50, .636), (100, .775), (200, .847)], .8)
    134.72...
    >>> labels_to_target([(50, .6), (100, .7)], .8)
    >>> labels_to_target([(50, 4.), (100, 2.)], 3., less_is_better=True)
    75.0
    """
    labels, values = _points(curve)
    reached = np.flatnonzero(values <= target if less_is_better else values >= target)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return float(labels[0])
    share = (target - values[at - 1]) / (values[at] - values[at - 1])
    return float(labels[at - 1] + share * (labels[at] - labels[at - 1]))


def saving(curve: Curve, other: Curve, target: float, less_is_better: bool = False) -> Saving | None:
    """Labels saved against another curve of the same seed: 1 − n / n_other; None when `curve` does not get there.

    >>> saving([(50, .7), (100, .9)], [(50, .6), (100, .8)], .8)
    Saving(share=0.25, at_least=False)
    >>> saving([(50, .7), (100, .9)], [(50, .6), (100, .7)], .8)
    Saving(share=0.25, at_least=True)
    """
    own, others = (labels_to_target(one, target, less_is_better) for one in (curve, other))
    if own is None:
        return None
    most = float(_points(other)[0][-1])
    return Saving(1 - own / (most if others is None else others), others is None)


def compare_areas(one: Sequence[Curve], other: Sequence[Curve], less_is_better: bool = False) -> Comparison:
    """Paired difference of areas; curve i of both sides is seed i. A pair is compared where both have labels.

    >>> str(compare_areas([[(10, .6), (20, .8)], [(10, .5), (20, .8)]], [[(10, .5), (20, .7)], [(10, .4), (20, .68)]]))
    'better: area +0.1050 ± 0.0635 (95 % interval, 2 paired seeds)'
    >>> str(compare_areas([[(10, 3.), (20, 2.)]], [[(10, 3.), (20, 3.)]], less_is_better=True))
    'undecided: area -0.5000 with one seed, less is better; an interval needs at least two'
    """
    if len(one) != len(other) or not one:
        raise InputError(f"{len(one)} and {len(other)} curves cannot be paired: give one of each per seed")
    differences = tuple(_difference(*pair) for pair in zip(one, other, strict=True))
    return Comparison(differences, *mean_interval(differences), less_is_better)


def _difference(one: Curve, other: Curve) -> float:
    low, high = max(one[0][0], other[0][0]), min(one[-1][0], other[-1][0])
    if low > high:
        raise InputError(
            f"curves over {one[0][0]} to {one[-1][0]} and {other[0][0]} to {other[-1][0]} labels do not overlap"
        )
    return area(_between(one, low, high)) - area(_between(other, low, high))


def _between(curve: Curve, low: int, high: int) -> Curve:
    """The part of a curve over a range of labels, with interpolated ends."""
    labels, values = _points(curve)
    ends = np.interp([low, high], labels, values)
    inside = [(at, value) for at, value in curve if low < at < high]
    return [(low, float(ends[0])), *inside, (high, float(ends[1]))]


def _points(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not curve:
        raise InputError("a learning curve needs at least one point")
    labels, values = np.array(curve, np.float64).T
    if (np.diff(labels) < 0).any():
        raise InputError(f"the labels of a learning curve must not fall, got {labels.astype(int).tolist()}", got=curve)
    return labels, values
