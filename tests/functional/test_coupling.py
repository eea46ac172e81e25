"""The penalty of deep probabilistic ensembles."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from askwell.errors import BadShape
from askwell.functional.coupling import coupling

WEIGHTS = torch.tensor([0.1, 0.2, -0.1, 0.0], dtype=torch.float64)[:, None]
VARIANCE = 2 / (16 * 3 * 3)


def test_numbers_of_the_card() -> None:
    """A weight of a 3×3 convolution with 16 outputs in four members: μ = .05, s² = .0125."""
    assert pytest.approx(0.0138889, abs=1e-7) == VARIANCE
    assert (float(WEIGHTS.mean()), float(WEIGHTS.var(correction=0))) == pytest.approx((0.05, 0.0125))
    assert float(coupling(WEIGHTS, VARIANCE)) == pytest.approx(-3.070916, abs=1e-6)


def test_least_where_members_spread_as_the_prior() -> None:
    spread = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)[:, None] * math.sqrt(VARIANCE)
    least = float(coupling(spread, VARIANCE))
    assert least == pytest.approx(-3.276666, abs=1e-6)
    for other in (0.8 * spread, 1.2 * spread, spread + 0.01):
        assert float(coupling(other, VARIANCE)) > least


def divergence(mean: float, variance: float, other_mean: float, other: float) -> float:
    """KL(N(mean, variance) ‖ N(other_mean, other))."""
    return 0.5 * (math.log(other / variance) + (variance + (mean - other_mean) ** 2) / other - 1)


def test_it_is_the_divergence_of_the_prior_from_the_members() -> None:
    """Not of the members from the prior, which is what the paper's text names."""
    reversed_kl, named_kl = divergence(0, VARIANCE, 0.05, 0.0125), divergence(0.05, 0.0125, 0, VARIANCE)
    assert (reversed_kl, named_kl) == pytest.approx((0.102875, 0.092680), abs=1e-6)
    assert float(coupling(WEIGHTS, VARIANCE)) == pytest.approx(math.log(VARIANCE) + 1 + 2 * reversed_kl, abs=1e-9)


def test_gradient_is_that_of_finite_differences() -> None:
    weights = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda given: coupling(given, 0.3, 1.0, 1e-6), weights)


def test_a_prior_around_one_pulls_there() -> None:
    scales = 1 + 0.1 * torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None]
    assert float(coupling(scales, 0.01, 1.0)) == pytest.approx(math.log(0.01) + 1, abs=1e-5)
    assert float(coupling(scales - 1, 0.01, 1.0)) > 90


def test_equal_members_are_finite_with_something_added() -> None:
    weights = torch.ones(4, 3, requires_grad=True)
    coupling(weights, 0.1, least=1e-6).backward()
    assert bool(weights.grad.isfinite().all())


def test_one_member_is_refused() -> None:
    with pytest.raises(BadShape, match=r"^weights have shape \(1, 3\): at least two members are needed$"):
        coupling(torch.ones(1, 3), 0.1)
