"""Moments through Gaussian weights: the numbers of the card, draws, and the deterministic limit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.testing import assert_close

from askwell.functional.binary import binary_entropy
from askwell.functional.moments import (
    linear_moments,
    log_probit,
    precision_divergence,
    probit,
    probit_loss,
    relu_moments,
)


def double(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_probit_of_the_card() -> None:
    p = probit(double(1), double(3))
    assert_close(p, double(0.691462), rtol=0, atol=1e-6)
    assert_close(binary_entropy(p[:, None]), double(0.617926), rtol=0, atol=1e-6)
    assert_close(log_probit(double(1), double(3)), p.log())


def test_relu_of_the_card() -> None:
    mean, var = relu_moments(double(1), double(0.25))
    assert_close(torch.cat([mean, var]), double(1.004245, 0.240049), rtol=0, atol=1e-6)


@pytest.mark.parametrize("mean", [-2.0, 0.0, 0.7])
def test_relu_agrees_with_draws(mean: float) -> None:
    draws = (mean + 1.3 * torch.randn(400_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))).relu()
    found = torch.cat(relu_moments(double(mean), double(1.69)))
    assert_close(found, torch.stack([draws.mean(), draws.var()]), rtol=0, atol=0.01)


def test_linear_agrees_with_draws() -> None:
    rng = torch.Generator().manual_seed(1)
    mean, var, weight, spread, bias = (torch.rand(shape, generator=rng) for shape in (3, 3, (2, 3), (2, 3), 2))
    x = mean + var.sqrt() * torch.randn(100_000, 3, generator=rng)
    w = weight + spread.sqrt() * torch.randn(100_000, 2, 3, generator=rng)
    drawn = (w @ x[:, :, None])[:, :, 0] + bias
    found = linear_moments(F.linear, mean[None], var[None], weight, spread, bias)
    assert_close(found[0][0], drawn.mean(0), rtol=0, atol=0.03)
    assert_close(found[1][0], drawn.var(0), rtol=0.03, atol=0)


def test_without_variance_the_net_is_deterministic() -> None:
    x = double([-1.5, 0.0, 2.0])
    mean, var = relu_moments(x, torch.zeros_like(x))
    assert_close(mean, x.relu(), rtol=0, atol=1e-6)
    assert_close(var, torch.zeros_like(x), rtol=0, atol=1e-9)
    weight = double([1, 2, 3])
    mean, var = linear_moments(F.linear, x, torch.zeros_like(x), weight, torch.zeros_like(weight), None)
    assert (mean.item(), var.item()) == (4.5, 0.0)


def test_relu_has_gradients_without_variance() -> None:
    mean, var = double(0.5).requires_grad_(), double(0).requires_grad_()
    sum(relu_moments(mean, var)).backward()
    assert bool(torch.cat([mean.grad, var.grad]).isfinite().all())


def test_loss_is_of_all_answers() -> None:
    mean, var = double([1, -1, 0.5]), double([3, 3, 0])
    p = probit(mean, var)[0]
    wanted = -(p[0].log() + (1 - p[1]).log() + (1 - p[2]).log())
    assert_close(probit_loss(mean, var, double([1, 0, 0])), wanted[None])
    assert bool(probit_loss(double([-100.0]), double([0]), double([1])).isfinite().all())


def test_divergence_is_that_of_torch_up_to_a_constant() -> None:
    mean, log_var, precision = double(0.3, -1), double(-2, 0.5), 10.0
    prior = torch.distributions.Normal(0.0, precision**-0.5)
    weights = torch.distributions.Normal(mean, (log_var / 2).exp())
    exact = torch.distributions.kl_divergence(weights, prior).sum()
    constant = 2 * 0.5 * (1 + torch.tensor(precision).double().log())
    assert_close(precision_divergence(mean, log_var, precision) - constant, exact)


REPOSITORY = [[0.26211, 0.145483], [0.183629, 0.18701]]
"""Mean and variance of two units by `CLTLayer` of manuelhaussmann/ral at f613d97, and the divergence of its weights."""
DIVERGENCE = 36.77672


def test_a_layer_agrees_with_the_repository() -> None:
    """On 200 random layers moments differ by at most 3e-6, divergences not at all, and so by 2e-8 do the chances of a
    policy of its sizes where the state has no variance, which its first layer leaves out."""
    rng = torch.Generator().manual_seed(5)
    weight, log_var, bias = (torch.randn(shape, generator=rng) for shape in ((2, 3), (2, 3), (2,)))
    log_var = log_var - 2
    mean, var = torch.randn(1, 3, generator=rng), torch.rand(1, 3, generator=rng)
    found = relu_moments(*linear_moments(F.linear, mean, var, weight, log_var.exp(), bias))
    assert_close(torch.cat(found), torch.tensor(REPOSITORY), rtol=0, atol=1e-5)
    assert float(precision_divergence(weight, log_var, 10.0)) == pytest.approx(DIVERGENCE, rel=1e-5)
