"""Expectations over the labels of an item, taken over its likely classes alone."""

from __future__ import annotations

import warnings
from typing import NamedTuple

from torch import Tensor

__all__ = ["Likely", "Truncated", "likely", "warn_dropped"]

NOTABLE = 0.01


class Truncated(UserWarning):
    """Classes that were left out of an expectation held a notable share of the probability."""


class Likely(NamedTuple):
    """The classes over which an expectation is taken.

    classes  (n, K) int64, the likeliest first
    weights  (n, K) probabilities, 0 for a class that its row leaves out
    dropped  (n,) probability of all classes left out
    """

    classes: Tensor
    weights: Tensor
    dropped: Tensor


def likely(p: Tensor, least: float) -> Likely:
    """Of each row (n, C) the classes with a probability above `least`, and always the likeliest one.

    K is the number of classes of the row that keeps most. O(n·C log C).

    >>> import torch
    >>> likely(torch.tensor([[.25, .5, .25], [.125, .875, 0.]]), .2)
    Likely(classes=tensor([[1, 0, 2],
            [1, 0, 2]]), weights=tensor([[0.5000, 0.2500, 0.2500],
            [0.8750, 0.0000, 0.0000]]), dropped=tensor([0.0000, 0.1250]))
    """
    ranked, classes = p.sort(dim=1, descending=True, stable=True)
    kept = ranked > least
    kept[:, 0] = True
    width = int(kept.sum(1).amax()) if len(p) else 1
    return Likely(classes[:, :width], (ranked * kept)[:, :width], (ranked * ~kept).sum(1))


def warn_dropped(dropped: Tensor, least: float) -> None:
    """Warns `Truncated` where rows (N,) lost more than a hundredth of their probability on average.

    >>> import torch
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_dropped(torch.tensor([0., .25]), .001)
    >>> print(said[0].message)
    classes of probability 0.001 or less were left out: 12.5% of it on average, 25.0% at most; lower `least`
    """
    mean = float(dropped.mean()) if len(dropped) else 0.0
    if mean > NOTABLE:
        warnings.warn(
            f"classes of probability {least:g} or less were left out: {mean:.1%} of it on average, "
            f"{float(dropped.max()):.1%} at most; lower `least`",
            Truncated,
            stacklevel=3,
        )
