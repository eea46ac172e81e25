"""Regression metrics against scikit-learn, and on sets that leave a metric little to go by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from askwell.errors import BadShape
from askwell.metrics import of_predictions


@pytest.mark.parametrize("far", [0.0, -40.0, 1e6])
def test_equals_scikit_learn(far):
    rng = np.random.default_rng(0)
    targets = (far + 3 * rng.normal(size=200)).astype(np.float32)
    found = (targets + rng.normal(size=200)).astype(np.float32)
    wanted = {
        "rmse": sk.root_mean_squared_error(targets.astype(float), found.astype(float)),
        "mae": sk.mean_absolute_error(targets.astype(float), found.astype(float)),
        "r2": sk.r2_score(targets.astype(float), found.astype(float)),
    }
    assert of_predictions(torch.from_numpy(found)[:, None], torch.from_numpy(targets)) == pytest.approx(wanted)


def test_by_hand():
    """Errors 1, −1, 2 of labels 0, 2, 4: squares 6, deviations from the mean 8."""
    found = of_predictions(torch.tensor([[1.0], [1.0], [6.0]]), torch.tensor([0.0, 2.0, 4.0]))
    assert found == pytest.approx({"rmse": 2**0.5, "mae": 4 / 3, "r2": 1 - 6 / 8})


@pytest.mark.parametrize(("found", "r2"), [([2.0, 2.0], 1.0), ([2.0, 3.0], 0.0)])
def test_one_number_only(found, r2):
    assert of_predictions(torch.tensor(found)[:, None], torch.tensor([2.0, 2.0]))["r2"] == r2


def test_one_item_and_none():
    assert of_predictions(torch.tensor([[3.0]]), torch.tensor([1.0])) == {"rmse": 2.0, "mae": 2.0, "r2": 0.0}
    assert of_predictions(torch.empty(0, 1), torch.empty(0)) == {}


def test_shapes_are_checked():
    with pytest.raises(BadShape) as caught:
        of_predictions(torch.ones(3), torch.zeros(3))
    assert str(caught.value) == "predictions have shape (3,) and targets (3,): (n, 1) and (n,) are needed"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=20), st.integers(0, 2**20))
def test_every_set_has_finite_metrics(targets, seed):
    targets = torch.tensor(targets)
    found = torch.from_numpy(np.random.default_rng(seed).permutation(targets.numpy()))[:, None]
    assert all(np.isfinite(value) for value in of_predictions(found, targets).values())
