"""Numbers as labels: what counts as one, the scale that a fit learns, and the way back to the labels' units."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch

from askwell.core.needs import MC_PREDICTIONS, PREDICTIONS
from askwell.core.spec import build, config
from askwell.errors import BadLabel, InputError
from askwell.metrics import of_predictions
from askwell.tasks import Regression

TASK = Regression()


@pytest.mark.parametrize(
    "value", [2, 2.0, "2", " 2.0 ", "2e0", np.float64(2), np.float32(2), np.int8(2), torch.tensor(2.0), Fraction(4, 2)]
)
def test_numbers_of_every_type_become_floats(value):
    found = TASK.check(value)
    assert found == 2.0
    assert type(found) is float
    assert TASK.encode([value]).tolist() == [2.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "label nan is not a finite number"),
        (np.float64("inf"), "label np.float64(inf) is not a finite number"),
        ("-inf", "label '-inf' is not a finite number"),
        ("", "label '' is not a finite number"),
        ("tall", "label 'tall' is not a finite number"),
        (True, "label True is not a finite number"),
        (np.bool_(0), "label np.False_ is not a finite number"),
        (None, "label None is not a finite number"),
        ([2.0], "label [2.0] is not a finite number"),
        (2j, "label 2j is not a finite number"),
        (10**400, f"label {10**400} is not a finite number"),
        (-1e39, "label -1e+39 is larger than 3.4e+38: divide the labels"),
    ],
)
def test_what_is_no_number_is_refused(value, text):
    with pytest.raises(BadLabel) as caught:
        TASK.check(value)
    assert str(caught.value) == text
    assert caught.value.got is value


def test_a_fit_learns_mean_and_deviation_and_predicts_in_the_labels_units():
    task = TASK.fitted(torch.tensor([2.0, 4.0, 9.0]))
    assert (task.mean, task.scale) == (5.0, pytest.approx((26 / 3) ** 0.5))
    assert (TASK.mean, TASK.scale) == (0.0, 1.0)
    outputs = (torch.tensor([2.0, 4.0, 9.0])[:, None] - 5) / task.scale
    torch.testing.assert_close(task.predict(outputs), torch.tensor([[2.0], [4.0], [9.0]]))
    assert task.decide(task.predict(outputs)) == pytest.approx([2.0, 4.0, 9.0])
    torch.testing.assert_close(task.loss(outputs, torch.tensor([2.0, 4.0, 9.0])), torch.zeros(3))
    assert task.loss(torch.zeros(1, 1), torch.tensor([9.0])).tolist() == pytest.approx([16 / (26 / 3)])


@pytest.mark.parametrize("targets", [[0.1] * 7, [1e30, 1e30], [-3.0]])
def test_the_scale_of_equal_numbers_is_one(targets):
    task = TASK.fitted(torch.tensor(targets))
    assert task.scale == 1.0
    assert task.mean == pytest.approx(targets[0])


def test_numbers_far_from_zero_and_close_together_keep_their_scale():
    targets = torch.tensor([1e6, 1e6 + 1, 1e6 + 2])
    task = TASK.fitted(targets)
    assert (task.mean, task.scale) == (1e6 + 1, pytest.approx((2 / 3) ** 0.5))
    outputs = ((targets - task.mean) / task.scale)[:, None]
    torch.testing.assert_close(task.predict(outputs)[:, 0], targets, rtol=0, atol=0.1)


def test_state_leads_back_bit_by_bit():
    task = TASK.fitted(torch.tensor([0.1, 0.7, 12.3]))
    state = task.state()
    assert {name: value.dtype for name, value in state.items()} == {"mean": torch.float64, "scale": torch.float64}
    assert TASK.restored(state) == task


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 0.0), (0.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_scale_must_be_above_zero(mean, scale):
    with pytest.raises(InputError, match=r"^mean must be finite and scale above 0, got "):
        Regression(mean, scale)


def test_numbers_are_offered_in_float32_and_temperature_leaves_them():
    task, outputs = Regression(10.0, 2.0), torch.tensor([[0.5], [-1.0]], dtype=torch.bfloat16)
    for offered in (task.offers[PREDICTIONS], task.drawn[MC_PREDICTIONS]):
        assert torch.equal(getattr(task, offered)(outputs), torch.tensor([[11.0], [8.0]]))
    found = task.predict(outputs)
    assert torch.equal(task.tempered(found, 3.0), found)


def test_metrics_and_what_it_is():
    predictions, targets = torch.tensor([[1.0], [4.0]]), torch.tensor([1.0, 3.0])
    assert TASK.metrics(predictions, targets) == of_predictions(predictions, targets)
    assert (TASK.outputs, TASK.num_classes, TASK.form, TASK.labels, TASK.headline) == (1, None, "number", (), "rmse")
    task = Regression(3.5, 2.0)
    assert build("tasks", config(task)) == task == pickle.loads(pickle.dumps(task))
    assert TASK.encode([]).shape == (0,)
