"""Networks with Gaussian weights that compute the mean and the variance of every unit, without a draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from askwell.errors import InputError
from askwell.functional.moments import linear_moments, log_probit, precision_divergence, relu_moments
from askwell.models.net import HeadedNet, Net

__all__ = ["MomentLayer", "MomentNet", "with_moments"]

LOG_VARIANCE = -9.0
WIDEST = 11.0
Moments = tuple[Tensor, Tensor]


class MomentLayer(nn.Module):
    """A linear map or a convolution with weights N(M, S): moments of its inputs to moments of its outputs.

    M starts as N(0, 1/inputs), log S at about −9, the bias, which is not random, at 0.
    """

    def __init__(self, shape: tuple[int, ...], apply: Callable[[Tensor, Tensor, Tensor | None], Tensor]) -> None:
        super().__init__()
        inputs = torch.Size(shape[1:]).numel()
        self.apply_weights = apply
        self.mean = nn.Parameter(torch.randn(shape) / sqrt(inputs))
        self.log_var = nn.Parameter(LOG_VARIANCE + 1e-3 * torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0]))

    @classmethod
    def linear(cls, inputs: int, outputs: int) -> MomentLayer:
        """A linear map."""
        return cls((outputs, inputs), F.linear)

    def forward(self, mean: Tensor, var: Tensor) -> Moments:
        """Moments of the outputs."""
        return linear_moments(self.apply_weights, mean, var, self.mean, self._log_var.exp(), self.bias)

    def divergence(self, precision: float) -> Tensor:
        """KL divergence of the weights from N(0, 1/precision), a scalar in nats, up to a constant."""
        return precision_divergence(self.mean, self._log_var, precision)

    @property
    def _log_var(self) -> Tensor:
        return self.log_var.clamp(-WIDEST, WIDEST)


class _Head(nn.Module):
    """(n, 2·D) means and variances to the logarithms (n, C) of the probabilities of each class against the rest."""

    def __init__(self, layer: MomentLayer) -> None:
        super().__init__()
        self.layer = layer

    def moments(self, z: Tensor) -> Moments:
        means, variances = z.chunk(2, 1)
        found: Moments = self.layer(means, variances)
        return found

    def forward(self, z: Tensor) -> Tensor:
        return log_probit(*self.moments(z))


class MomentNet(Net):
    """Layers with Gaussian weights, ReLU between them. Embeddings (n, 2·D) are means and variances of the last layer.

    Outputs are log Φ(m/√(1+v)), one for each class against the rest; their softmax is those probabilities divided by
    their sum. `moments(x)` are mean and variance (n, C) of the logits.
    Haußmann, Hamprecht and Kandemir 2019, "Deep Active Learning with Adaptive Acquisition", arXiv 1906.11471.
    """

    def __init__(self, stages: list[list[nn.Module]], head: MomentLayer) -> None:
        super().__init__()
        self.stages = nn.ModuleList(nn.ModuleList(stage) for stage in stages)
        self.head: _Head = _Head(head)

    def embed(self, x: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        mean, var = x, torch.zeros_like(x)
        taps = []
        for stage in self.stages:
            for layer in stage:  # type: ignore[attr-defined] # a ModuleList
                mean, var = layer(mean, var) if isinstance(layer, MomentLayer) else _shaped(layer, mean, var)
            taps.append(torch.cat([mean.flatten(1), var.flatten(1)], 1))
        return taps[-1], tuple(taps)

    def moments(self, x: Tensor) -> Moments:
        """Means and variances (n, C) of the logits."""
        return self.head.moments(self.embed(x)[0])

    def layers(self) -> Iterator[MomentLayer]:
        """The layers with weights, from the input on."""
        return (layer for layer in self.modules() if isinstance(layer, MomentLayer))

    def divergence(self, precision: float) -> Tensor:
        """KL divergence of all weights from N(0, 1/precision), a scalar in nats, up to a constant."""
        return torch.stack([layer.divergence(precision) for layer in self.layers()]).sum()


def with_moments(net: nn.Module) -> MomentNet:
    """A network of the same layers, with Gaussian weights of its own; dropout is left out.

    Takes networks of linear layers, convolutions, ReLU, dropout and flattening; `InputError` names any other layer.

    >>> from askwell.core.pool import Form
    >>> from askwell.models import MLP
    >>> moments = with_moments(MLP(width=8, depth=1).build(Form("vector", (4,)), 3))
    >>> [tuple(layer.mean.shape) for layer in moments.layers()], moments(torch.ones(2, 4)).shape
    ([(8, 4), (3, 8)], torch.Size([2, 3]))
    """
    if isinstance(net, MomentNet):
        return net
    if not isinstance(net, HeadedNet) or not isinstance(net.head, nn.Linear):
        raise InputError(
            f"moments go through a network of layers and a linear head, such as mlp, not {type(net).__name__}"
        )
    stages = [[_counterpart(layer) for layer in _flat(stage)] for stage in net.stages]
    return MomentNet(
        [[layer for layer in stage if layer is not None] for stage in stages],
        MomentLayer.linear(net.head.in_features, net.head.out_features),
    )


def _flat(stage: nn.Module) -> Iterator[nn.Module]:
    if isinstance(stage, nn.Sequential):
        for layer in stage:
            yield from _flat(layer)
    else:
        yield stage


def _counterpart(layer: nn.Module) -> nn.Module | None:
    if isinstance(layer, nn.Linear):
        return MomentLayer.linear(layer.in_features, layer.out_features)
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros":
        geometry: dict[str, Any] = {key: getattr(layer, key) for key in ("stride", "padding", "dilation", "groups")}
        return MomentLayer(tuple(layer.weight.shape), partial(F.conv2d, **geometry))
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return None
    if isinstance(layer, nn.ReLU | nn.Flatten):
        return layer
    raise InputError(
        f"there are no moments through a layer {layer}: use linear layers, convolutions and ReLU", got=layer
    )


def _shaped(layer: nn.Module, mean: Tensor, var: Tensor) -> Moments:
    if isinstance(layer, nn.ReLU):
        return relu_moments(mean, var)
    return layer(mean), layer(var)
