"""Agreement of raters beyond chance."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from askwell.errors import BadShape, UnknownName
from askwell.metrics import cohen, fleiss, krippendorff, resampled
from askwell.metrics.agreement import Undefined

ONE, OTHER = [2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]
FOURTEEN = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
"""Fleiss's own example: 10 items, 14 raters, 5 classes."""
TWELVE = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
"""Krippendorff's own example: four raters, twelve items."""


def rated(raters: list[str]) -> list[list[int | None]]:
    """Items by raters; "." is a gap."""
    return [[None if label == "." else int(label) for label in item] for item in zip(*raters, strict=True)]


@pytest.mark.parametrize(("weights", "kappa"), [("none", 0.428571), ("linear", 0.5), ("quadratic", 0.545455)])
def test_cohen_of_the_worked_example(weights: str, kappa: float) -> None:
    assert cohen(ONE, OTHER, weights) == pytest.approx(kappa, abs=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_cohen_agrees_with_scikit_learn(weights: str | None) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    for _ in range(50):
        one, other = rng.integers(0, 4, (2, 30))
        wanted = cohen_kappa_score(one, other, weights=weights)
        assert cohen(one.tolist(), other.tolist(), weights or "none") == pytest.approx(wanted)  # type: ignore[arg-type]


def test_cohen_of_one_label_is_one() -> None:
    assert cohen("aa", "aa") == 1.0
    assert cohen("aa", "bb") == 0.0


def test_fleiss_of_the_worked_examples() -> None:
    assert fleiss([[3, 0], [2, 1], [1, 2], [0, 3]]) == pytest.approx(1 / 3)
    assert fleiss(FOURTEEN) == pytest.approx(0.209931, abs=1e-6)


def test_fleiss_agrees_with_statsmodels_0_15() -> None:
    """With statsmodels 0.15.0, `fleiss_kappa`: 200 of 200 random tables of 20 items, 5 labels and 4 classes agree.

    Recorded: what it gave for the table of `numpy.random.default_rng(3)`.
    """
    rng = np.random.default_rng(3)
    assert fleiss(rng.multinomial(5, rng.dirichlet(np.ones(4)), size=20)) == pytest.approx(-0.05982905982905979)


def test_fleiss_refuses_unequal_numbers_of_labels() -> None:
    message = "Fleiss's kappa needs counts (n, C) of the same number of labels, at least 2, on every item"
    for counts in ([[2, 1], [1, 1]], [[1, 0], [0, 1]], [1, 2], np.empty((0, 2))):
        with pytest.raises(BadShape, match=f"^{re.escape(message)}$"):
            fleiss(counts)  # type: ignore[arg-type]


def test_krippendorff_of_the_worked_example() -> None:
    assert krippendorff(rated(["0011.", "01110", "001.1"])) == pytest.approx(0.428571, abs=1e-6)


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_krippendorff_of_the_standard_example(scale: str, alpha: float) -> None:
    assert krippendorff(rated(TWELVE), scale) == pytest.approx(alpha, abs=1e-6)  # type: ignore[arg-type]


def test_krippendorff_takes_nan_for_a_gap_and_drops_items_with_one_label() -> None:
    table = [[0.0, 0.0, np.nan], [1.0, 1.0, 0.0], [np.nan, np.nan, 1.0]]
    assert krippendorff(table) == pytest.approx(krippendorff([[0, 0], [1, 1, 0]]))


def test_krippendorff_agrees_with_krippendorff_0_9() -> None:
    """With the package krippendorff 0.9.0: 300 of 300 random tables with gaps agree within 1e-9 on all three scales.

    Recorded: the first two tables of `numpy.random.default_rng(7)` and what it gave for them.
    """
    recorded = [
        (0.26358148893360167, 0.08845113943607574, 0.08370044052863435),
        (0.53015873015873, 0.5460231623177338, 0.5864562787639711),
    ]
    rng = np.random.default_rng(7)
    for wanted in recorded:
        table = _random_table(rng)
        found = [krippendorff(table, scale) for scale in ("nominal", "ordinal", "interval")]  # type: ignore[arg-type]
        assert found == pytest.approx(wanted, abs=1e-9)


def _random_table(rng: np.random.Generator) -> list[list[float]]:
    """12 items, 4 raters who follow the item's class, a fifth of the cells empty."""
    truth = rng.integers(0, 4, (12, 1))
    said = np.where(rng.random((12, 4)) < 0.4, rng.integers(0, 4, (12, 4)), truth).astype(float)
    said[rng.random((12, 4)) < 0.2] = np.nan
    rows: list[list[float]] = said.tolist()
    return rows


def test_no_value_is_said_with_the_reason() -> None:
    with pytest.warns(Undefined, match=r"^Krippendorff's alpha is undefined: only one class was said$"):
        assert math.isnan(krippendorff([[1, 1], [1, 1]]))
    with pytest.warns(Undefined, match=r"^Krippendorff's alpha is undefined: no item has two labels$"):
        assert math.isnan(krippendorff([[1, None], [None, 0]]))
    with pytest.warns(Undefined, match=r"^Fleiss's kappa is undefined: only one class was ever said$"):
        assert math.isnan(fleiss([[3, 0], [3, 0]]))


def test_the_interval_holds_the_coefficient_and_depends_on_the_generator_alone() -> None:
    first = resampled(fleiss, FOURTEEN, np.random.default_rng(1), 200)
    assert first == resampled(fleiss, FOURTEEN, np.random.default_rng(1), 200)
    assert first[0] < fleiss(FOURTEEN) < first[1]
    table = [[0, 0]] * 3 + [[0, 1]]
    low, high = resampled(krippendorff, table, np.random.default_rng(0), 100)
    assert low <= high <= 1


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"^unknown scale 'nominel': did you mean 'nominal'\?"):
        krippendorff([[0, 1]], "nominel")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match=r"^unknown weights 'square'"):
        cohen("a", "a", "square")  # type: ignore[arg-type]
