"""Layers with Gaussian weights, and any network with some of its layers changed into them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from math import expm1, log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from askwell.errors import InputError
from askwell.functional.gaussian import gaussian, locally, weight_divergence

__all__ = ["GaussianConv", "GaussianLayer", "GaussianLinear", "divergence_of", "gaussian_layers", "with_gaussians"]

Pair = tuple[Tensor, Tensor]
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d


class GaussianLayer(nn.Module, ABC):
    """A layer of weights N(μ, softplus(ρ)²), independent of each other; μ starts as the layer's own weights.

    In training every output is drawn anew, by local reparameterisation. In eval mode weights are their means; draws of
    whole weights are taken by `training.mc_dropout`, the same weights for every item.

    spread  the standard deviation that all weights start with
    """

    def __init__(self, layer: nn.Linear | Convolution, spread: float) -> None:
        super().__init__()
        self.mean, self.bias_mean = layer.weight, layer.bias
        self.rho = nn.Parameter(torch.full_like(layer.weight, _inverse_softplus(spread)))
        bias_rho = None if layer.bias is None else torch.full_like(layer.bias, _inverse_softplus(spread))
        self.bias_rho = None if bias_rho is None else nn.Parameter(bias_rho)

    @abstractmethod
    def apply_weights(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the layer makes of x with these weights."""

    @property
    def weight(self) -> Pair:
        """Means and standard deviations of the weights."""
        return self.mean, F.softplus(self.rho)

    @property
    def bias(self) -> Pair | None:
        """Means and standard deviations of the biases."""
        if self.bias_mean is None or self.bias_rho is None:
            return None
        return self.bias_mean, F.softplus(self.bias_rho)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs with weights that are drawn in training, means in eval mode, and those of a draw under way."""
        if self.training:
            return locally(self.apply_weights, x, self.weight, self.bias)
        bias = self.bias
        return self.apply_weights(x, gaussian(*self.weight), None if bias is None else gaussian(*bias))

    def divergence(self, prior: float) -> Tensor:
        """KL divergence of all weights and biases from N(0, prior²), a scalar in nats."""
        parts = [self.weight, *([self.bias] if self.bias is not None else [])]
        return torch.stack([weight_divergence(*part, prior) for part in parts]).sum()


class GaussianLinear(GaussianLayer):
    """`nn.Linear` with Gaussian weights.

    Blundell et al. 2015, arXiv 1505.05424; local reparameterisation: Kingma et al. 2015, arXiv 1506.02557.

    >>> layer = GaussianLinear(nn.Linear(2, 3), spread=0.1).eval()
    >>> layer(torch.ones(4, 2)).shape, layer.weight[1][0]
    (torch.Size([4, 3]), tensor([0.1000, 0.1000], grad_fn=<SelectBackward0>))
    """

    def apply_weights(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x, weight, bias)


class GaussianConv(GaussianLayer):
    """`nn.Conv1d`, `nn.Conv2d` or `nn.Conv3d` with Gaussian weights; padding by zeros only.

    Blundell et al. 2015, arXiv 1505.05424; local reparameterisation: Kingma et al. 2015, arXiv 1506.02557.

    >>> GaussianConv(nn.Conv1d(2, 3, 5), spread=0.1).eval()(torch.ones(4, 2, 9)).shape
    torch.Size([4, 3, 5])
    """

    def __init__(self, layer: Convolution, spread: float) -> None:
        super().__init__(layer, spread)
        if layer.padding_mode != "zeros":
            raise InputError(
                f"a convolution with Gaussian weights pads by zeros, and {layer} by {layer.padding_mode!r}", got=layer
            )
        self.convolve = CONVOLUTIONS[type(layer)]
        self.geometry: dict[str, Any] = {
            name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")
        }

    def apply_weights(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        outputs: Tensor = self.convolve(x, weight, bias, **self.geometry)
        return outputs


CONVOLUTIONS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv1d: F.conv1d, nn.Conv2d: F.conv2d, nn.Conv3d: F.conv3d,
}  # fmt: skip
KINDS: dict[type[nn.Module], type[GaussianLayer]] = {
    nn.Linear: GaussianLinear,
    **dict.fromkeys(CONVOLUTIONS, GaussianConv),
}


def with_gaussians(net: nn.Module, flags: int | Sequence[bool] | None, spread: float) -> nn.Module:
    """The network itself, with Gaussian layers in place of linear and convolutional ones, and dropout off.

    flags   None: all of them; a number: that many, counted from the output; flags, from the output backwards: those
            that are True, further ones stay as they are
    spread  the standard deviation that all weights start with
    Layers of other kinds, such as embeddings and batch norm, stay as they are. Raises `InputError` where flags change
    nothing or name more layers than there are.

    >>> net = with_gaussians(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2)), 1, 0.1)
    >>> [type(layer).__name__ for layer in net], net[2].p
    (['Linear', 'ReLU', 'Dropout', 'GaussianLinear'], 0.0)
    """
    found = [name for name, layer in net.named_modules() if type(layer) in KINDS][::-1]
    chosen = _chosen(found, flags)
    for name in chosen:
        parent, _, own = name.rpartition(".")
        layer: Any = net.get_submodule(name)
        setattr(net.get_submodule(parent), own, KINDS[type(layer)](layer, spread))
    for drop in net.modules():
        if isinstance(drop, nn.modules.dropout._DropoutNd):
            drop.p = 0.0
    return net


def _chosen(names: Sequence[str], flags: int | Sequence[bool] | None) -> list[str]:
    """Names of the layers that change; `names` are from the output backwards."""
    wanted = [True] * len(names) if flags is None else [True] * flags if isinstance(flags, int) else list(flags)
    if not any(wanted) or len(wanted) > len(names):
        raise InputError(
            f"layers {flags!r} of a network that has {len(names)} linear and convolutional ones: choose at least one, "
            "counted from the output",
            got=flags,
        )
    return [name for name, flag in zip(names, wanted, strict=False) if flag]


def gaussian_layers(net: nn.Module) -> Iterator[GaussianLayer]:
    """The network's Gaussian layers, from the input on."""
    return (layer for layer in net.modules() if isinstance(layer, GaussianLayer))


def divergence_of(net: nn.Module, prior: float) -> Tensor:
    """KL divergence of all Gaussian weights of a network from N(0, prior²), a scalar in nats."""
    return torch.stack([layer.divergence(prior) for layer in gaussian_layers(net)]).sum()


def _inverse_softplus(value: float) -> float:
    """ρ with softplus(ρ) = value, above 0.

    >>> round(_inverse_softplus(0.048587), 4)
    -3.0
    """
    return log(expm1(value))
