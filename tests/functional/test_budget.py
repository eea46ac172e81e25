"""What a stream may spend, and windows of ranked scores against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from askwell.functional.budget import Ranked, balanced, fixed_threshold, left, moved, quantile, spent, within


def test_eleven_questions_then_five_without_and_again():
    estimate, asks = 0.0, []
    for _ in range(17):
        asks.append(left(estimate, 0.1, 100))
        estimate = spent(estimate, asks[-1], 100)
        if len(asks) == 11:
            assert estimate == pytest.approx(10.466175, abs=1e-6)
    assert asks == [True] * 11 + [False] * 5 + [True]


def test_share_in_the_long_run_is_a_little_above_the_budget():
    estimate, asks = 0.0, 0
    for _ in range(20_000):
        ask = left(estimate, 0.1, 100)
        estimate, asks = spent(estimate, ask, 100), asks + ask
    assert asks / 20_000 == pytest.approx(0.104, abs=5e-4)


def test_fixed_thresholds():
    assert fixed_threshold(2, 0.1) == pytest.approx(0.55)
    assert fixed_threshold(10, 0.1) == pytest.approx(0.19)
    assert fixed_threshold(10, 1.0) == 1


def test_thresholds_move_by_a_share():
    assert moved(0.5, True, 0.1) == pytest.approx(0.45)
    assert moved(0.5, False, 0.1) == pytest.approx(0.55)


def test_exact_counts_never_pass_the_budget_nor_catch_up_at_once():
    assert within(0, 0, 0, 0.1, 1000)
    assert not within(10, 2, 2, 0.1, 1000)
    assert not within(10_000, 100, 100, 0.1, 1000), "nothing was asked for long, and the last 1000 have had their share"
    assert not within(0, 0, 0, 0.0, 1000)


@pytest.mark.parametrize("window", [1, 2, 7, 40])
def test_windows_rank_as_numpy_does(window):
    scores = np.random.default_rng(window).normal(size=100).round(1)
    ranked = Ranked(window)
    for place, score in enumerate(scores.tolist()):
        ranked.push(score)
        last = scores[max(0, place + 1 - window) : place + 1]
        assert list(ranked.arrived) == last.tolist()
        assert ranked.span == last.max() - last.min()
        for share in (0.0, 0.25, 0.9, 1.0):
            assert quantile(ranked.ordered, share) == np.quantile(last, share)


def test_a_window_goes_on_from_its_scores():
    whole, part = Ranked(5), Ranked(5)
    for score in (3.0, 1.0, 2.0, 5.0, 4.0, 1.0, 1.0):
        whole.push(score)
        part.push(score)
        part = Ranked(5, part.arrived)
    assert (list(part.arrived), part.ordered) == (list(whole.arrived), whole.ordered)


def test_behind_the_budget_the_threshold_is_lower():
    assert balanced(0.5, 0.4, 5.0, 10.0) == pytest.approx(0.3)
    assert balanced(0.5, 0.4, -5.0, 10.0) == pytest.approx(0.7)
