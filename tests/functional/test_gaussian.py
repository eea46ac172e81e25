"""Gaussian weights: their divergence, and outputs that are drawn in place of weights."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F
from torch.testing import assert_close

from askwell.errors import InputError
from askwell.functional.gaussian import gaussian, locally, weight_divergence


def test_divergence_of_the_card() -> None:
    found = weight_divergence(torch.tensor([0.1]), torch.tensor([0.2]), 1.0)
    assert float(found) == pytest.approx(1.134438, abs=1e-6)
    assert float(F.softplus(torch.tensor(-3.0))) == pytest.approx(0.048587, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_divergence_is_torch_s(seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    mean, scale = torch.randn(5, 3, generator=rng), torch.rand(5, 3, generator=rng) + 0.01
    wanted = kl_divergence(Normal(mean, scale), Normal(torch.zeros(()), torch.tensor(0.3))).sum()
    assert_close(weight_divergence(mean, scale, 0.3), wanted)


def test_a_posterior_that_is_the_prior_costs_nothing() -> None:
    assert float(weight_divergence(torch.zeros(9), torch.full((9,), 0.05), 0.05)) == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match=r"^prior is 0: the standard deviation of the prior must be above 0$"):
        weight_divergence(torch.zeros(1), torch.ones(1), 0)


def test_weights_are_their_means_unless_draws_are_taken() -> None:
    mean = torch.ones(3)
    assert gaussian(mean, torch.ones(3)) is mean


@pytest.mark.parametrize("convolve", [False, True])
def test_local_draws_have_the_moments_of_drawn_weights(convolve: bool) -> None:
    """Mean and variance of each output, from 20,000 draws either way."""
    torch.manual_seed(0)
    shape = (3, 2, 2) if convolve else (3, 4)
    x = torch.randn(1, 2, 5) if convolve else torch.randn(1, 4)
    apply = F.conv1d if convolve else F.linear
    mean, scale, bias = torch.randn(shape), torch.rand(shape), (torch.randn(3), torch.rand(3))
    rows = [locally(apply, x, (mean, scale), bias) for _ in range(20_000)]
    drawn = [apply(x, mean + scale * torch.randn(shape), bias[0] + bias[1] * torch.randn(3)) for _ in range(20_000)]
    one, other = torch.cat(rows), torch.cat(drawn)
    assert_close(one.mean(0), other.mean(0), atol=0.06, rtol=0)
    assert_close(one.var(0), other.var(0), atol=0.03, rtol=0.06)


def test_local_draws_differ_from_item_to_item() -> None:
    """Two equal items are drawn apart: that is what takes variance out of the gradient."""
    torch.manual_seed(0)
    found = locally(F.linear, torch.ones(2, 3), (torch.zeros(1, 3), torch.ones(1, 3)), None)
    assert float((found[0] - found[1]).abs()) > 0


def test_no_spread_has_a_finite_gradient() -> None:
    scale = torch.zeros(1, 3, requires_grad=True)
    locally(F.linear, torch.zeros(2, 3), (torch.zeros(1, 3), scale), None).sum().backward()
    assert bool(scale.grad.isfinite().all())
