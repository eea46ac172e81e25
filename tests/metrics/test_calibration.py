"""Temperature scaling: known temperatures come back, decisions stay, few items move little."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askwell.errors import BadShape
from askwell.metrics.calibration import BOUNDS, temperature
from askwell.tasks import Classification, MultiLabel, Regression

CLASSES = ("a", "b", "c", "d")
TASK, LABELS = Classification(CLASSES), MultiLabel(CLASSES)


def honest(n, seed=0):
    """Logits (n, C), and targets drawn from their probabilities."""
    rng = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, len(CLASSES), generator=rng)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0]


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0, 8.0])
def test_a_known_temperature_comes_back(factor):
    logits, targets = honest(20_000)
    assert temperature(TASK.predict(factor * logits), targets, TASK) == pytest.approx(factor, rel=0.03)


def test_a_known_temperature_of_labels_that_stand_by_themselves_comes_back():
    rng = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(8000, len(CLASSES), generator=rng)
    targets = torch.bernoulli(logits.sigmoid(), generator=rng)
    assert temperature(LABELS.predict(2.5 * logits), targets, LABELS) == pytest.approx(2.5, rel=0.03)


def test_likelihood_and_calibration_are_better_on_other_items():
    logits, targets = honest(3000)
    found = temperature(TASK.predict(4 * logits), targets, TASK)
    others, truth = honest(3000, seed=1)
    before = TASK.metrics(TASK.predict(4 * others), truth)
    after = TASK.metrics(TASK.tempered(TASK.predict(4 * others), found), truth)
    assert after["nll"] < 0.5 * before["nll"]
    assert after["ece"] < 0.2 * before["ece"]
    assert after["accuracy"] == before["accuracy"]


@given(seed=st.integers(0, 2**31), n=st.integers(1, 40), factor=st.floats(0.01, 100))
def test_it_stays_within_bounds_and_changes_no_decision(seed, n, factor):
    rng = torch.Generator().manual_seed(seed)
    probs = TASK.predict(factor * torch.randn(n, len(CLASSES), generator=rng)).double()
    found = temperature(probs, torch.randint(len(CLASSES), (n,), generator=rng), TASK)
    assert BOUNDS[0] <= found <= BOUNDS[1]
    best = TASK.tempered(probs, found).gather(1, probs.argmax(1, keepdim=True))[:, 0]
    assert torch.equal(best, TASK.tempered(probs, found).max(1).values)


@pytest.mark.parametrize(("n", "low", "high"), [(2, 0.7, 1.0), (40, 0.3, 0.6), (4000, BOUNDS[0], 0.3)])
def test_a_set_without_a_mistake_sharpens_as_far_as_its_items_carry(n, low, high):
    right = torch.tensor([[0.7, 0.1, 0.1, 0.1]]).repeat(n, 1)
    assert low < temperature(right, torch.zeros(n, dtype=torch.int64), TASK) < high


def test_a_set_of_mistakes_alone_ends_near_the_upper_bound():
    wrong = torch.tensor([[0.97, 0.01, 0.01, 0.01]]).repeat(4000, 1)
    found = temperature(wrong, torch.ones(4000, dtype=torch.int64), TASK)
    assert 15 < found <= BOUNDS[1]


def test_impossible_targets_count_and_are_finite():
    probs = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(9, 1)
    assert temperature(probs, torch.tensor([1] + [0] * 8), TASK) == pytest.approx(1.0, abs=0.01)


def test_the_same_predictions_give_the_same_bits():
    logits, targets = honest(100)
    assert temperature(TASK.predict(logits), targets, TASK) == temperature(TASK.predict(logits), targets, TASK)


def test_numbers_and_empty_sets_have_temperature_one():
    assert temperature(torch.ones(5, 1), torch.ones(5), Regression()) == 1.0
    assert temperature(torch.empty(0, 4), torch.empty(0, dtype=torch.int64), TASK) == 1.0


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(BadShape) as error:
        temperature(torch.ones(5, 4), torch.ones(3, dtype=torch.int64), TASK)
    assert str(error.value) == ("predictions have shape (5, 4) and targets (3,): (n, C) and (n,) or (n, C) are needed")
