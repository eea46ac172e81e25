"""Classification metrics against scikit-learn, and on sets that leave a metric little to go by."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from askwell.errors import BadShape
from askwell.metrics import auroc, balanced_accuracy, calibration_error, of_probs


def drawn(n, classes, seed=0, present=None):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    targets = rng.choice(present if present is not None else classes, n)
    return torch.from_numpy(probs), torch.from_numpy(targets)


@pytest.mark.parametrize("present", [None, [0, 2, 3]], ids=["all_classes", "one_absent"])
@pytest.mark.parametrize("classes", [4, 6])
def test_equals_scikit_learn(classes, present):
    probs, targets = drawn(300, classes, present=present)
    p, y, chosen = probs.double().numpy(), targets.numpy(), probs.argmax(1).numpy()
    found = of_probs(probs, targets)
    with np.errstate(all="ignore"):
        recalls = sk.recall_score(y, chosen, labels=np.unique(y), average=None)
    areas = [sk.roc_auc_score(y == c, p[:, c]) for c in np.unique(y)]
    p = p / p.sum(1, keepdims=True)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, chosen))
    assert found["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, chosen, average="macro"))
    assert found["auroc"] == pytest.approx(np.mean(areas), abs=1e-5)
    assert found["nll"] == pytest.approx(sk.log_loss(y, p, labels=range(classes)), rel=1e-4)


def test_two_classes_equal_scikit_learn():
    probs, targets = drawn(200, 2)
    assert auroc(probs, targets) == pytest.approx(sk.roc_auc_score(targets, probs[:, 1]), abs=1e-5)
    assert balanced_accuracy(probs, targets) == pytest.approx(sk.balanced_accuracy_score(targets, probs.argmax(1)))


def test_calibration_error_by_hand():
    """Confidences .95 (right, right) and .65 (right, wrong): .5 · .05 + .5 · .15."""
    probs = torch.tensor([[0.95, 0.05], [0.05, 0.95], [0.65, 0.35], [0.65, 0.35]])
    assert calibration_error(probs, torch.tensor([0, 1, 0, 1])) == pytest.approx(0.1)


def test_calibration_error_equals_a_plain_reference():
    probs, targets = drawn(500, 5, seed=3)
    confidence, chosen = probs.max(1)
    edges = np.linspace(0, 1, 16)
    error = 0.0
    for low, high in pairwise(edges):
        rows = (confidence > low) & (confidence <= high)
        if rows.any():
            gap = confidence[rows].mean() - (chosen == targets)[rows].float().mean()
            error += float(rows.float().mean() * gap.abs())
    assert calibration_error(probs, targets) == pytest.approx(error, abs=1e-6)


def test_rounding_above_one_is_no_reason_for_a_softmax():
    """torchmetrics takes anything outside [0, 1] for logits."""
    probs, targets = drawn(100, 3)
    over = probs.clone()
    probs[0], over[0] = torch.tensor([1.0, 0, 0]), torch.tensor([1.0000001, 0, 0])
    assert of_probs(over, targets) == pytest.approx(of_probs(probs, targets), abs=1e-6)


def test_one_class_only():
    probs = torch.tensor([[0.9, 0.1], [0.4, 0.6]])
    found = of_probs(probs, torch.tensor([0, 0]))
    assert found["auroc"] == 0.5
    assert found["accuracy"] == found["balanced_accuracy"] == 0.5
    assert found["macro_f1"] == pytest.approx(sk.f1_score([0, 0], [0, 1], average="macro"))
    assert found["nll"] == pytest.approx(-(np.log(0.9) + np.log(0.4)) / 2)


def test_certain_and_wrong_is_finite():
    assert of_probs(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))["nll"] == pytest.approx(87.336, abs=1e-3)


def test_no_items_no_metrics():
    assert of_probs(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)) == {}


def test_shapes_are_checked():
    with pytest.raises(BadShape) as caught:
        of_probs(torch.ones(3, 2), torch.zeros(2, dtype=torch.int64))
    assert str(caught.value) == "probs have shape (3, 2) and targets (2,): (n, C) and (n,) are needed"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 2**20))
def test_every_set_has_finite_metrics_in_range(n, classes, seed):
    rng = np.random.default_rng(seed)
    probs, targets = drawn(n, classes, seed, present=rng.choice(classes, rng.integers(1, classes + 1), replace=False))
    found = of_probs(probs, targets)
    assert all(np.isfinite(value) for value in found.values())
    assert all(0 <= found[name] <= 1 for name in found if name != "nll")
