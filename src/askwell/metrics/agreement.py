"""How far raters agree beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, get_args
from warnings import catch_warnings, simplefilter, warn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from askwell.errors import BadShape, UnknownName

__all__ = ["Scale", "Undefined", "Weights", "cohen", "fleiss", "krippendorff", "resampled"]

Weights = Literal["none", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]
Table = NDArray[np.float64]


class Undefined(UserWarning):
    """A coefficient has no value: nothing was labelled twice, or all labels are the same."""


def cohen(one: Sequence[Hashable], other: Sequence[Hashable], weights: Weights = "none") -> float:
    """Cohen's kappa of two raters over the same n items, in [-1, 1]; 1 when both gave one and the same label.

    weights  "linear" or "quadratic": a disagreement counts by how many places apart the labels stand when sorted

    Cohen 1960, doi:10.1177/001316446002000104; weighted: Cohen 1968, doi:10.1037/h0026256. O(n + C²).

    >>> round(cohen("aabb", "aabc"), 4)
    0.6
    >>> cohen("aaa", "aaa")
    1.0
    >>> round(cohen([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2], "quadratic"), 6)
    0.545455
    """
    _known("weights", weights, Weights)
    pairs = Counter(zip(one, other, strict=True))
    left, right = Counter(one), Counter(other)
    apart = _places_apart(left | right, weights)
    observed = sum(count * apart(*pair) for pair, count in pairs.items())
    chance = sum(left[a] * right[b] * apart(a, b) for a in left for b in right) / len(one)
    return 1.0 if chance == 0 else 1 - observed / chance


def _places_apart(labels: Counter[Any], weights: Weights) -> Callable[[Any, Any], float]:
    """The cost of a disagreement between two labels."""
    if weights == "none":
        return lambda a, b: float(a != b)
    place, power = {label: place for place, label in enumerate(sorted(labels))}, 1 if weights == "linear" else 2
    return lambda a, b: float(abs(place[a] - place[b]) ** power)


def fleiss(counts: ArrayLike) -> float:
    """Fleiss's kappa of r >= 2 labels on every one of n items, at most 1.

    counts  (n, C): how often each class was said of each item; rows of one sum, else `BadShape`: items with unequal
            numbers of labels are for `krippendorff`. NaN and a warning `Undefined` where only one class was ever said

    Fleiss 1971, doi:10.1037/h0031619. O(n·C).

    >>> round(fleiss([[3, 0], [2, 1], [1, 2], [0, 3]]), 6)
    0.333333
    """
    said = np.asarray(counts, np.float64)
    raters = said.sum(1)[0] if said.ndim == 2 and len(said) else 0.0
    if raters < 2 or bool((said.sum(1) != raters).any()):
        raise BadShape("Fleiss's kappa needs counts (n, C) of the same number of labels, at least 2, on every item")
    shares = said.sum(0) / said.sum()
    chance = float((shares**2).sum())
    if chance == 1:
        return _undefined("Fleiss's kappa", "only one class was ever said")
    observed = ((said**2).sum(1) - raters) / (raters * (raters - 1))
    return (float(observed.mean()) - chance) / (1 - chance)


def krippendorff(table: Sequence[Sequence[Any]], scale: Scale = "nominal") -> float:
    """Krippendorff's alpha of any number of raters with gaps, at most 1.

    table  n items by A raters; None or NaN where a rater said nothing. Items with one label are left out
    scale  how much a disagreement counts: "nominal" all alike; "interval" the squared difference of numbers; "ordinal"
           by how many labels stand between the two when sorted
    NaN and a warning `Undefined` where no item has two labels or only one class was ever said.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; Hayes and Krippendorff 2007,
    doi:10.1080/19312450709336664. O(n·(A + C²)).

    >>> gap = None
    >>> table = [[0, 0, 0], [0, 1, 0], [1, 1, 1], [1, 1, gap], [gap, 0, 1]]
    >>> round(krippendorff(table), 6)
    0.428571
    """
    _known("scale", scale, Scale)
    said = [[label for label in row if not _gap(label)] for row in table]
    said = [row for row in said if len(row) > 1]
    labels = sorted({label for row in said for label in row})
    if len(labels) < 2:
        return _undefined("Krippendorff's alpha", "no item has two labels" if not labels else "only one class was said")
    coincidences = _coincidences(said, {label: place for place, label in enumerate(labels)})
    totals = coincidences.sum(1)
    apart = _distances(labels, totals, scale)
    return float(1 - (totals.sum() - 1) * (coincidences * apart).sum() / (np.outer(totals, totals) * apart).sum())


def _coincidences(said: Sequence[Sequence[Any]], places: dict[Any, int]) -> Table:
    """(C, C): ordered pairs of labels within items; an item of m labels counts m."""
    counts = np.zeros((len(said), len(places)))
    for item, row in enumerate(said):
        np.add.at(counts[item], [places[label] for label in row], 1)
    share = counts / (counts.sum(1, keepdims=True) - 1)
    found: Table = share.T @ counts - np.diag(share.sum(0))
    return found


def _distances(labels: Sequence[Any], totals: Table, scale: Scale) -> Table:
    """(C, C) squared distances of labels."""
    if scale == "nominal":
        return 1 - np.eye(len(labels))
    if scale == "interval":
        values = np.asarray(labels, np.float64)
        return np.subtract.outer(values, values) ** 2
    middles = totals.cumsum() - totals / 2
    return np.subtract.outer(middles, middles) ** 2


def resampled(
    coefficient: Callable[[Any], float], rows: Sequence[Any], rng: np.random.Generator, draws: int = 1000
) -> tuple[float, float]:
    """A 95 % interval of a coefficient of agreement: percentiles over items drawn anew with replacement.

    Draws without a value are left out. Efron 1979, doi:10.1214/aos/1176344552. O(draws) times the coefficient.

    >>> counts = [[3, 0], [2, 1], [1, 2], [0, 3]] * 10
    >>> low, high = resampled(fleiss, counts, np.random.default_rng(0), 200)
    >>> low < fleiss(counts) < high
    True
    """
    with catch_warnings():
        simplefilter("ignore", Undefined)
        found = [coefficient([rows[row] for row in rng.integers(len(rows), size=len(rows))]) for _ in range(draws)]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def _gap(label: Any) -> bool:
    return label is None or label != label


def _known(what: str, value: str, known: Any) -> None:
    if value not in get_args(known):
        raise UnknownName(what, value, get_args(known))


def _undefined(name: str, why: str) -> float:
    warn(f"{name} is undefined: {why}", Undefined, stacklevel=3)
    return float("nan")
