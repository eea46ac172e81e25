"""The paired t-interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from askwell.errors import InputError
from askwell.metrics import paired_interval


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_interval_is_scipys(n: int, level: float) -> None:
    rng = np.random.default_rng(n)
    one, other = rng.normal(size=(2, n))
    wanted = ttest_rel(one, other).confidence_interval(level)
    found = paired_interval(one, other, level)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert found.pairs == n


def test_what_the_seeds_share_cancels() -> None:
    shared = np.array([0.1, 0.9, 0.4, 0.6])
    found = paired_interval(shared + np.array([0.02, 0.03, 0.02, 0.03]), shared)
    assert found.low > 0
    assert found.high < 0.05


def test_one_pair_has_no_interval() -> None:
    found = paired_interval([0.7], [0.6])
    assert found.difference == pytest.approx(0.1)
    assert np.isnan([found.low, found.high]).all()


def test_values_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(InputError, match=r"^values of shapes \(2,\) and \(3,\) cannot be paired: give one of each"):
        paired_interval([1.0, 2.0], [1.0, 2.0, 3.0])
