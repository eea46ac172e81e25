"""What a stream may still spend, and the thresholds that spend it: plain numbers, one item at a time.

A budget B in [0, 1] is the share of all items that may be asked about. Everything here is O(1), the window of ranked
scores O(log w) comparisons.

Žliobaitė et al. 2014, doi:10.1109/TNNLS.2012.2236570; Kottke, Krempl and Spiliopoulou 2015,
doi:10.1007/978-3-319-24465-5_12.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from math import floor

__all__ = ["Ranked", "balanced", "fixed_threshold", "left", "moved", "quantile", "spent", "within"]


def spent(before: float, asked: bool, window: int) -> float:
    """The estimated number of questions in the last `window` items, after one more item: û·(w − 1)/w + asked.

    >>> spent(spent(0.0, True, 4), False, 4)
    0.75
    """
    return before * ((window - 1) / window) + asked


def left(spent: float, budget: float, window: int) -> bool:
    """Whether the estimated rate of questions, û/w, is below the budget.

    >>> left(9.9, 0.1, 100), left(10.5, 0.1, 100)
    (True, False)
    """
    return spent / window < budget


def within(seen: int, asked: int, lately: int, budget: float, window: int) -> bool:
    """Whether one more question, about the item after `seen`, keeps to the budget by exact counts.

    asked   questions about those items, never above B·seen + 1
    lately  those about the last window − 1 of them: what was saved long ago cannot be spent at once

    >>> within(0, 0, 0, 0.1, 1000), within(9, 1, 1, 0.1, 1000), within(10, 1, 1, 0.1, 1000)
    (True, False, True)
    """
    return asked < budget * (seen + 1) and lately < budget * window


def fixed_threshold(classes: int, budget: float) -> float:
    """The confidence up to which a fixed threshold asks: 1/C + B·(1 − 1/C), from blind guess to certainty.

    >>> fixed_threshold(2, 0.1), fixed_threshold(10, 0.1)
    (0.55, 0.19)
    """
    return 1 / classes + budget * (1 - 1 / classes)


def moved(threshold: float, asked: bool, rate: float) -> float:
    """The threshold after a decision: a share `rate` lower when it asked, higher when it did not.

    >>> moved(1.0, True, 0.01), moved(1.0, False, 0.01)
    (0.99, 1.01)
    """
    return threshold * (1 - rate) if asked else threshold * (1 + rate)


def quantile(ranked: Sequence[float], share: float) -> float:
    """The quantile of ascending numbers, with linear interpolation as in numpy. O(1).

    >>> quantile([0.1, 0.5, 0.9], 0.75)
    0.7
    """
    place = (len(ranked) - 1) * share
    below = min(floor(place), len(ranked) - 1)
    low, high, part = ranked[below], ranked[min(below + 1, len(ranked) - 1)], place - below
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def balanced(threshold: float, span: float, ahead: float, tolerance: float) -> float:
    """The threshold lowered where fewer questions were asked than the budget allows, and raised where more were.

    span       largest less smallest score of the window
    ahead      B·seen − asked: questions that are still to be spent
    tolerance  so many questions off the budget move the threshold by a whole span

    >>> balanced(0.7, 0.8, 0.25 * 3 - 2, 10)
    0.8
    """
    return threshold - span * (ahead / tolerance)


class Ranked:
    """The last `window` scores of a stream, in order of arrival and of size.

    A new one takes O(log w) comparisons, and w numbers move by one place in memory.

    >>> scores = Ranked(3, [0.5, 0.1, 0.9])
    >>> scores.push(0.3)
    >>> list(scores.arrived), scores.ordered, scores.span
    ([0.1, 0.9, 0.3], [0.1, 0.3, 0.9], 0.8)
    """

    def __init__(self, window: int, scores: Iterable[float] = ()) -> None:
        """`scores`: those before, in order of arrival."""
        self.window, self.arrived = window, deque(scores, window)
        self.ordered = sorted(self.arrived)

    def push(self, score: float) -> None:
        """Takes one more score in; beyond the window the oldest leaves."""
        if len(self.arrived) == self.window:
            del self.ordered[bisect_left(self.ordered, self.arrived[0])]
        self.arrived.append(score)
        insort(self.ordered, score)

    @property
    def span(self) -> float:
        """Largest less smallest."""
        return self.ordered[-1] - self.ordered[0]
