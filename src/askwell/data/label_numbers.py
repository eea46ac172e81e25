"""Labels that are numbers, as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.labels import listed, missing
from askwell.errors import BadLabel, NotFinite

__all__ = ["encode_numbers"]


def encode_numbers(labels: Iterable[Any]) -> NDArray[np.float64]:
    """Numbers (n,) float64; None, "" and NaN mean unknown and become NaN, -1 is a number like any other.

    Numbers may be written as texts, and labels may have shape (n, 1). Raises `BadLabel`, or `NotFinite` for infinity.

    >>> encode_numbers(["2.5", None, -1]).tolist()
    [2.5, nan, -1.0]
    """
    return np.array([_number(value, place) for place, value in enumerate(listed(labels))], np.float64)


def _number(label: Any, place: int) -> float:
    value = label[0] if isinstance(label, list | tuple) and len(label) == 1 else label
    if missing(value):
        return math.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadLabel(
            f"label {label!r} of item {place} is no number, as task='regression' needs it: classes are for "
            "task='classification', lists for task='multi_label'",
            got=label,
        ) from None
    if math.isinf(number):
        raise NotFinite(f"label {label!r} of item {place} is not finite", got=label)
    return number
