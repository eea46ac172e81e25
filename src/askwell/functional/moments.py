"""Means and variances through a network whose weights are Gaussian, in closed form, and what a probit makes of them."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtr

__all__ = ["linear_moments", "log_probit", "precision_divergence", "probit", "probit_loss", "relu_moments"]

LEAST = 1e-12
"""Kept under the root of a variance, whose gradient has no end at zero."""

Apply = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def linear_moments(
    apply: Apply, mean: Tensor, var: Tensor, weight: Tensor, weight_var: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a linear map with independent Gaussian weights N(M, S) of independent inputs (mean, var).

    apply  (x, weight, bias) -> outputs, linear in weight and bias, such as `torch.nn.functional.linear`
    Mean M·m + b, variance S·(v + m²) + M²·v. Three times the cost of the map.

    >>> one = torch.ones(1, 1)
    >>> linear_moments(torch.nn.functional.linear, 2 * one, 0.5 * one, 3 * one, 0.1 * one, None)
    (tensor([[6.]]), tensor([[4.9500]]))
    """
    outputs = apply(mean, weight, bias)
    return outputs, apply(var + mean.square(), weight_var, None) + apply(var, weight.square(), None)


def relu_moments(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of max(0, x) for x of N(mean, var).

    Frey & Hinton 1999, doi:10.1162/089976699300016872. O(elements).

    >>> relu_moments(torch.tensor(1.0), torch.tensor(0.25))
    (tensor(1.0042), tensor(0.2400))
    """
    std = (var + LEAST).sqrt()
    ratio = mean / std
    below, density = ndtr(ratio), (-ratio.square() / 2).exp() / sqrt(2 * pi)
    first = mean * below + std * density
    second = (var + mean.square()) * below + mean * std * density
    return first, (second - first.square()).clamp(min=0)


def probit(mean: Tensor, var: Tensor) -> Tensor:
    """Φ(m / √(1 + v)): the chance that a logit of N(m, v) plus noise of N(0, 1) is above 0, in [0, 1].

    >>> probit(torch.tensor(1.0), torch.tensor(3.0))
    tensor(0.6915)
    """
    chance: Tensor = ndtr(mean / (1 + var).sqrt())
    return chance


def log_probit(mean: Tensor, var: Tensor) -> Tensor:
    """Logarithm of `probit`, finite however small that is."""
    chance: Tensor = log_ndtr(mean / (1 + var).sqrt())
    return chance


def probit_loss(mean: Tensor, var: Tensor, targets: Tensor) -> Tensor:
    """Minus the logarithm of the chance of all labels, one against the rest: (n,) in nats.

    mean, var (n, C) of the logits; targets (n, C) of 0 and 1. −Σ_c t·log P_c + (1 − t)·log(1 − P_c).

    >>> probit_loss(torch.tensor([[1.0, -1.0]]), torch.tensor([[3.0, 3.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.7379])
    """
    there, absent = log_probit(mean, var), log_probit(-mean, var)
    return -torch.where(targets > 0, there, absent).sum(-1)


def precision_divergence(mean: Tensor, log_var: Tensor, precision: float) -> Tensor:
    """KL of N(M, S) from N(0, 1/α), up to a constant: ½ Σ α (M² + S) − log S, a scalar in nats.

    mean, log_var of one shape: M and log S; precision: α.
    """
    return 0.5 * (precision * (mean.square() + log_var.exp()) - log_var).sum()
