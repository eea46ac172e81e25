"""Learning-curve statistics: the worked example of REF-1, hand-made cases, scipy as a reference."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from askwell.errors import InputError
from askwell.metrics.curves import (
    Interval,
    Saving,
    area,
    compare_areas,
    intervals,
    labels_to_target,
    mean_interval,
    saving,
)

AT = (50, 100, 200, 400)
RANDOM = list(zip(AT, (0.636, 0.732, 0.823, 0.856), strict=True))
MARGIN = list(zip(AT, (0.636, 0.775, 0.847, 0.904), strict=True))


def test_areas_of_the_worked_example():
    assert area(RANDOM) == pytest.approx(0.799571, abs=1e-6)
    assert area(MARGIN) == pytest.approx(0.832786, abs=1e-6)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8, unique=True), st.floats(0, 1))
def test_a_constant_curve_has_its_value_as_area(labels, value):
    assert area([(at, value) for at in sorted(labels)]) == pytest.approx(value)


def test_a_round_without_new_labels_adds_no_area():
    assert area([(10, 0.5), (20, 0.7), (20, 0.9), (30, 0.9)]) == pytest.approx((0.6 * 10 + 0.9 * 10) / 20)


def test_labels_that_fall_and_empty_curves_are_refused():
    with pytest.raises(InputError) as caught:
        area([(20, 0.5), (10, 0.6)])
    assert str(caught.value) == "the labels of a learning curve must not fall, got [20, 10]"
    with pytest.raises(InputError, match="a learning curve needs at least one point"):
        area([])


@pytest.mark.parametrize(
    ("target", "random", "margin"),
    [(0.80, 174.725, 134.722), (0.86, None, 245.614), (0.60, 50, 50), (0.95, None, None)],
)
def test_labels_to_target_of_the_worked_example(target, random, margin):
    for curve, wanted in ((RANDOM, random), (MARGIN, margin)):
        found = labels_to_target(curve, target)
        assert found is None if wanted is None else found == pytest.approx(wanted, abs=1e-3)


def test_the_first_crossing_counts():
    assert labels_to_target([(10, 0.5), (20, 0.9), (30, 0.6), (40, 0.9)], 0.7) == pytest.approx(15)


@pytest.mark.parametrize(
    ("target", "share", "at_least"), [(0.80, 0.228948, False), (0.86, 0.385965, True), (0.60, 0.0, False)]
)
def test_savings_of_the_worked_example(target, share, at_least):
    assert saving(MARGIN, RANDOM, target) == Saving(pytest.approx(share, abs=1e-6), at_least)


def test_no_saving_without_reaching_the_target():
    assert saving(MARGIN, RANDOM, 0.95) is None
    assert saving(RANDOM, MARGIN, 0.86) is None


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_mean_interval_equals_scipy(level):
    values = np.random.default_rng(0).normal(size=7)
    mean, half = mean_interval(values, level)
    low, high = stats.t.interval(level, 6, values.mean(), stats.sem(values))
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_one_value_has_no_interval():
    mean, half = mean_interval([0.5])
    assert mean == 0.5
    assert math.isnan(half)
    with pytest.raises(InputError, match="there are no values to average"):
        mean_interval([])


def test_intervals_count_the_seeds_that_got_there():
    found = intervals([[(10, 0.5), (20, 0.7)], [(10, 0.6), (20, 0.9)], [(10, 0.7)]])
    assert found[0] == Interval(10, pytest.approx(0.6), pytest.approx(mean_interval([0.5, 0.6, 0.7])[1]), 3)
    assert [(one.labels, one.seeds) for one in found] == [(10, 3), (20, 2)]


def pairs(differences, spread=(0.0, 0.1, 0.05, 0.02)):
    other = [[(10, 0.5 + shift), (20, 0.6 + shift)] for shift in spread[: len(differences)]]
    one = [[(at, value + by) for at, value in curve] for curve, by in zip(other, differences, strict=True)]
    return one, other


def test_the_interval_is_of_paired_differences():
    differences = [0.02, 0.03, 0.01, 0.03]
    found = compare_areas(*pairs(differences))
    assert found.differences == pytest.approx(differences)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (found.difference - found.half, found.difference + found.half) == pytest.approx(tuple(interval))
    assert found.verdict == "better"
    assert str(found) == "better: area +0.0225 ± 0.0152 (95 % interval, 4 paired seeds)"


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [([-0.02, -0.03, -0.02], "worse"), ([0.02, -0.03, 0.02], "undecided"), ([0.0, 0.0], "undecided")],
)
def test_verdicts(differences, verdict):
    assert compare_areas(*pairs(differences)).verdict == verdict


def test_one_seed_is_undecided():
    found = compare_areas(*pairs([0.25]))
    assert found.verdict == "undecided"
    assert str(found) == "undecided: area +0.2500 with one seed; an interval needs at least two"


def test_curves_are_compared_where_both_have_labels():
    """The first stopped at 20 labels: what the second gained later does not count against it."""
    short, long = [(10, 0.5), (20, 0.7)], [(5, 0.1), (15, 0.5), (25, 0.7), (100, 1.0)]
    assert compare_areas([short], [long]).difference == pytest.approx(0.6 - (0.4 * 5 / 10 + 0.55 * 5 / 10))


def test_an_undefined_metric_is_undecided():
    nothing = [[(10, math.nan), (20, math.nan)]] * 3
    assert compare_areas(nothing, nothing).verdict == "undecided"


def test_curves_that_cannot_be_paired_are_refused():
    with pytest.raises(InputError) as caught:
        compare_areas([RANDOM], [RANDOM, MARGIN])
    assert str(caught.value) == "1 and 2 curves cannot be paired: give one of each per seed"
    with pytest.raises(InputError) as caught:
        compare_areas([[(10, 0.5)]], [[(20, 0.5)]])
    assert str(caught.value) == "curves over 10 to 10 and 20 to 20 labels do not overlap"


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [([-0.02, -0.03, -0.02], "better"), ([0.02, 0.03, 0.02], "worse"), ([0.02, -0.03, 0.02], "undecided")],
)
def test_less_may_be_better(differences, verdict):
    found = compare_areas(*pairs(differences), less_is_better=True)
    assert found.verdict == verdict
    assert found.differences == pytest.approx(differences)


def test_the_text_says_that_less_is_better():
    found = compare_areas(*pairs([-0.02, -0.03, -0.01, -0.03]), less_is_better=True)
    assert str(found) == "better: area -0.0225 ± 0.0152 (95 % interval, 4 paired seeds, less is better)"


@pytest.mark.parametrize(
    ("target", "labels"), [(3.0, 75.0), (4.0, 50.0), (5.0, 50.0), (2.0, 100.0), (1.4, 180.0), (1.0, None)]
)
def test_labels_to_an_error_are_read_from_above(target, labels):
    """4 at 50 labels, 2 at 100, 1.25 at 200: 3 lies half-way, 1.4 four fifths of the way."""
    found = labels_to_target([(50, 4.0), (100, 2.0), (200, 1.25)], target, less_is_better=True)
    assert found is None if labels is None else found == pytest.approx(labels)


def test_savings_of_an_error():
    falls, slowly = [(50, 4.0), (100, 2.0)], [(50, 4.0), (150, 2.0)]
    assert saving(falls, slowly, 3.0, less_is_better=True) == Saving(pytest.approx(0.25), False)
    assert saving(slowly, falls, 3.0, less_is_better=True) == Saving(pytest.approx(-1 / 3), False)
    assert saving(falls, [(50, 4.0), (150, 3.5)], 3.0, less_is_better=True) == Saving(pytest.approx(0.5), True)
    assert saving([(50, 4.0)], falls, 3.0, less_is_better=True) is None


def test_curves_load_no_torch():
    code = "import sys, askwell.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_seeds_that_do_not_differ_prove_nothing():
    one, other = [[(10, 0.5), (20, 0.7)]] * 3, [[(10, 0.4), (20, 0.6)]] * 3
    found = compare_areas(one, other)
    assert (found.half, found.verdict) == (0.0, "undecided")
