"""Weights that are Gaussian: their draws, what they make of an input, and how far they are from their prior."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from askwell.errors import InputError

__all__ = ["gaussian", "locally", "weight_divergence"]

LEAST = 1e-12
"""Kept under the root of a variance, whose gradient has no end at zero."""


def gaussian(mean: Tensor, scale: Tensor) -> Tensor:
    """The mean of Gaussian weights; where draws are taken, `mean + scale·ε` of the draw under way takes its place.

    mean, scale of one shape. Draws are taken by a torch function mode, such as that of `training.mc_dropout`, which
    keys ε of N(0, 1) by draw: within one draw the weights are the same for every item.

    >>> gaussian(torch.tensor([1.0]), torch.tensor([0.5]))
    tensor([1.])
    """
    if has_torch_function((mean, scale)):
        drawn: Tensor = handle_torch_function(gaussian, (mean, scale), mean, scale)
        return drawn
    return mean


def locally(
    apply: Callable[[Tensor, Tensor, Tensor | None], Tensor],
    x: Tensor,
    weight: tuple[Tensor, Tensor],
    bias: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """What a linear map with Gaussian weights makes of x, drawn for every output rather than for every weight.

    apply  (x, weight, bias) -> outputs, linear in weight and bias, such as `torch.nn.functional.linear`
    weight, bias  (mean, standard deviation) each; bias None for none

    Outputs are N(apply(x, means), apply(x², variances)): the same distribution for each output as with drawn weights,
    at less variance of the gradient. Noise is torch's global one. Twice the cost of the map.

    Kingma, Salimans and Welling 2015, "Variational Dropout and the Local Reparameterization Trick", arXiv 1506.02557.

    >>> one = torch.ones(1, 1)
    >>> locally(torch.nn.functional.linear, 3 * one, (2 * one, 0 * one), None)
    tensor([[6.0000]])
    """
    means, spreads = zip(weight, bias or (None, None), strict=True)
    mean = apply(x, *means)
    variance = apply(x.square(), *(None if one is None else one.square() for one in spreads))  # type: ignore[arg-type] # the weight is there
    return mean + variance.clamp(min=LEAST).sqrt() * torch.randn_like(mean)


def weight_divergence(mean: Tensor, scale: Tensor, prior: float) -> Tensor:
    """KL(N(mean, scale²) ‖ N(0, prior²)) in nats, summed over all weights: a scalar, 0 where they are the same.

    mean, scale of one shape, scale above 0.

    Blundell, Cornebise, Kavukcuoglu and Wierstra 2015, "Weight Uncertainty in Neural Networks", arXiv 1505.05424, with
    one Gaussian as the prior, for which the divergence is exact.

    >>> weight_divergence(torch.tensor([.1]), torch.tensor([.2]), 1.0)
    tensor(1.1344)
    """
    if not prior > 0:
        raise InputError(f"prior is {prior}: the standard deviation of the prior must be above 0", got=prior)
    ratio = (scale / prior).square()
    return 0.5 * (ratio + (mean / prior).square() - 1 - ratio.log()).sum()
