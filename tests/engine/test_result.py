"""What a result says, by a metric of which more or less is better."""

from __future__ import annotations

from pathlib import Path

import pytest

from askwell.engine.report import Report
from askwell.engine.result import Result


def curve(metric, *values):
    return [Report(one, 10 * (one + 1), 1.0, {metric: value}, metric, 0, "", "") for one, value in enumerate(values)]


def result(metric):
    """Two arms over two seeds: the first arm ends lower, by 1 and by 1.002, so its areas are less by 0.5 and 0.501."""
    arms = {
        "greedy": [curve(metric, 5.0, 2.0), curve(metric, 5.0, 1.998)],
        "random": [curve(metric, 5.0, 3.0), curve(metric, 5.0, 3.0)],
    }
    return Result(Path("runs"), Path("curve.png"), arms, {})


def test_a_lower_error_is_better():
    found = result("rmse")
    assert found.comparison.differences == pytest.approx((-0.5, -0.501))
    assert found.verdict == (
        "greedy against random: better: area -0.5005 ± 0.0064 (95 % interval, 2 paired seeds, less is better)"
    )
    assert found.summary()["less_is_better"] is True


def test_a_lower_accuracy_is_worse():
    found = result("accuracy")
    assert found.verdict == "greedy against random: worse: area -0.5005 ± 0.0064 (95 % interval, 2 paired seeds)"
    assert found.summary()["less_is_better"] is False
