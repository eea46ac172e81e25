"""Laplace's Gaussian over a last layer: worked numbers, covariances of draws, inverses, updates."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from askwell.functional.information import bald
from askwell.functional.laplace import (
    drawn_weights,
    full_precision,
    probit,
    root_of_inverse,
    shared_precision,
    updated,
    variance,
)

LABELLED = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
PRECISION = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.4, -0.2], [-0.2, 0.6]], dtype=torch.float64)
ROOT = root_of_inverse(PRECISION)


def test_the_shared_covariance_of_the_card():
    assert_close(shared_precision(LABELLED, 1.0), PRECISION)
    assert_close(ROOT @ ROOT.t(), COVARIANCE)
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    assert_close(variance(rows, ROOT), torch.tensor([0.4, 0.6, 0.6, 1.6], dtype=torch.float64))


def test_variance_grows_with_the_square_of_the_norm():
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert_close(variance(3 * z, ROOT), 9 * variance(z, ROOT))


def test_draws_have_the_covariance_of_the_card():
    """The logits of (1, 0) and (0, 1) have variances .4 and .6 and covariance −.2, within five standard errors."""
    rng = torch.Generator().manual_seed(3)
    zero = torch.zeros(1, 2, dtype=torch.float64)
    noise = torch.randn(40_000, 1, 2, generator=rng, dtype=torch.float64)
    drawn = torch.stack([drawn_weights(zero, ROOT, one) for one in noise])[:, 0]
    assert_close(drawn.t().cov(), COVARIANCE, atol=0.02, rtol=0)


def test_the_closed_form_of_the_card():
    logits = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    v = torch.tensor([0.6], dtype=torch.float64)
    assert float(probit(logits, 0 * v)[0, 0]) == pytest.approx(0.731059, abs=1e-6)
    assert float(probit(logits, v)[0, 0]) == pytest.approx(0.710871, abs=1e-6)


def test_an_update_is_the_inverse_with_one_item_more():
    z = torch.tensor([0.0, 1.0], dtype=torch.float64)
    weight, covariance = updated(torch.zeros(2, 2, dtype=torch.float64), COVARIANCE, z, 0)
    assert_close(covariance, torch.tensor([[0.375, -0.125], [-0.125, 0.375]], dtype=torch.float64))
    assert_close(weight, torch.tensor([[-0.0625, 0.1875], [0.0625, -0.1875]], dtype=torch.float64))
    _, half = updated(weight, COVARIANCE, z, 0, curvature=0.5)
    assert_close(half, torch.linalg.inv(PRECISION + 0.5 * torch.outer(z, z)))
    moved, _ = updated(torch.zeros(2, 2, dtype=torch.float64), COVARIANCE, z, 1, step=10.0)
    assert_close(moved, -10 * weight)


def test_binary_logistic_regression_of_the_card():
    """Weights (.5, −.5) of the logit: precision with p(1 − p) for both items, and the variances that follow."""
    p = (LABELLED @ torch.tensor([0.5, -0.5], dtype=torch.float64)).sigmoid()
    assert_close(p, torch.tensor([0.622459, 0.5], dtype=torch.float64), atol=1e-6, rtol=0)
    precision = shared_precision(LABELLED * (p * (1 - p)).sqrt()[:, None], 1.0)
    assert_close(precision, torch.tensor([[1.485004, 0.25], [0.25, 1.25]], dtype=torch.float64), atol=1e-6, rtol=0)
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    wanted = torch.tensor([0.696862, 0.827874, 2.787449], dtype=torch.float64)
    assert_close(variance(rows, root_of_inverse(precision)), wanted, atol=1e-6, rtol=0)


def test_the_full_precision_is_the_hessian_of_the_loss():
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(7, 3, generator=rng, dtype=torch.float64)
    weight = torch.randn(4, 3, generator=rng, dtype=torch.float64)
    labels = torch.randint(4, (7,), generator=rng)

    def loss(flat):
        w = flat.view(4, 3)
        return torch.nn.functional.cross_entropy(z @ w.t(), labels, reduction="sum") + 0.35 * flat.square().sum()

    hessian = torch.autograd.functional.hessian(loss, weight.flatten())
    assert_close(full_precision((z @ weight.t()).softmax(1), z, 0.7), hessian)


def test_full_draws_have_the_full_covariance():
    p = torch.tensor([[0.7, 0.3], [0.4, 0.6]], dtype=torch.float64)
    precision = full_precision(p, LABELLED, 0.5)
    root, rng = root_of_inverse(precision), torch.Generator().manual_seed(4)
    weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    noise = torch.randn(40_000, 2, 2, generator=rng, dtype=torch.float64)
    drawn = torch.stack([drawn_weights(weight, root, one) for one in noise]).flatten(1)
    assert_close(drawn.mean(0), weight.flatten(), atol=0.04, rtol=0)
    assert_close(drawn.t().cov(), torch.linalg.inv(precision), atol=0.06, rtol=0)


def test_a_strong_prior_leaves_no_disagreement():
    root = root_of_inverse(shared_precision(LABELLED, 1e12))
    noise = torch.randn(20, 3, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    weights = torch.stack([drawn_weights(torch.ones(3, 2, dtype=torch.float64), root, one) for one in noise])
    probs = torch.einsum("nd,kcd->nkc", LABELLED, weights).softmax(2)
    assert float(bald(probs).abs().max()) < 1e-9
