"""Multi-label metrics against scikit-learn, and on sets that leave a metric little to go by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from askwell.errors import BadShape
from askwell.metrics import of_label_probs


def drawn(n, classes, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    probs = rng.random((n, classes)).astype(np.float32)
    return torch.from_numpy(probs), torch.from_numpy((rng.random((n, classes)) < share).astype(np.float32))


@pytest.mark.parametrize("classes", [1, 4, 7])
def test_equals_scikit_learn(classes):
    probs, targets = drawn(300, classes)
    p, y = probs.double().numpy(), targets.numpy().astype(int)
    chosen = (p >= 0.5).astype(int)
    found = of_label_probs(probs, targets)
    columns = range(classes)
    assert found["macro_f1"] == pytest.approx(np.mean([sk.f1_score(y[:, c], chosen[:, c]) for c in columns]))
    assert found["micro_f1"] == pytest.approx(sk.f1_score(y.ravel(), chosen.ravel()))
    precisions = [sk.average_precision_score(y[:, c], p[:, c]) for c in columns]
    assert found["map"] == pytest.approx(np.mean(precisions), abs=1e-5)
    assert found["subset_accuracy"] == pytest.approx((y == chosen).all(1).mean())
    assert found["hamming_loss"] == pytest.approx((y != chosen).mean())
    assert found["nll"] == pytest.approx(sk.log_loss(y.ravel(), p.ravel()), rel=1e-5)


def test_equals_scikit_learn_by_its_own_averages():
    probs, targets = drawn(200, 5, seed=1)
    y, chosen = targets.numpy().astype(int), (probs.numpy() >= 0.5).astype(int)
    found = of_label_probs(probs, targets)
    for name in ("macro", "micro"):
        assert found[f"{name}_f1"] == pytest.approx(sk.f1_score(y, chosen, average=name))
    assert found["subset_accuracy"] == pytest.approx(sk.accuracy_score(y, chosen))
    assert found["hamming_loss"] == pytest.approx(sk.hamming_loss(y, chosen))
    assert found["map"] == pytest.approx(sk.average_precision_score(y, probs.numpy(), average="macro"), abs=1e-5)


def test_labels_that_nobody_has_count_where_they_are_claimed():
    """Label 0 is right, label 1 is only claimed, label 2 is not there and not claimed: macro is (1 + 0) / 2."""
    probs = torch.tensor([[0.9, 0.9, 0.1], [0.1, 0.2, 0.3]])
    found = of_label_probs(probs, torch.tensor([[1, 0, 0], [0, 0, 0]]))
    assert (found["macro_f1"], found["micro_f1"], found["map"]) == (0.5, pytest.approx(2 / 3), 1.0)


def test_nothing_there_and_nothing_claimed_is_right():
    found = of_label_probs(torch.tensor([[0.1, 0.2]]), torch.zeros(1, 2))
    assert (found["macro_f1"], found["micro_f1"], found["subset_accuracy"], found["hamming_loss"]) == (1, 1, 1, 0)
    assert found["map"] == 0
    assert found["nll"] == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2)


def test_one_half_is_a_claim():
    assert of_label_probs(torch.tensor([[0.5]]), torch.ones(1, 1))["subset_accuracy"] == 1


def test_certain_and_wrong_is_finite_and_rounding_above_one_no_logit():
    assert of_label_probs(torch.tensor([[1.0]]), torch.zeros(1, 1))["nll"] == pytest.approx(87.336, abs=1e-3)
    probs, targets = drawn(50, 3)
    over = probs.clone()
    probs[0, 0], over[0, 0] = 1.0, 1.0000001
    assert of_label_probs(over, targets) == pytest.approx(of_label_probs(probs, targets), abs=1e-6)


def test_no_items_no_metrics():
    assert of_label_probs(torch.empty(0, 3), torch.empty(0, 3)) == {}


def test_shapes_are_checked():
    with pytest.raises(BadShape) as caught:
        of_label_probs(torch.ones(3, 2), torch.zeros(3))
    assert str(caught.value) == "probs have shape (3, 2) and targets (3,): (n, C) and (n, C) are needed"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**20), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_every_set_has_finite_metrics_in_range(n, classes, seed, share):
    found = of_label_probs(*drawn(n, classes, seed, share))
    assert all(np.isfinite(value) for value in found.values())
    assert all(0 <= found[name] <= 1 for name in found if name != "nll")
