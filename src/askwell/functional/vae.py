"""Terms of the variational auto-encoder's loss, per item: sums over dimensions, never means.

A reconstruction averaged over pixels beside a divergence summed over the batch lets the encoder collapse to the prior.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["divergence", "reconstruction", "sample"]


def reconstruction(x: Tensor, again: Tensor) -> Tensor:
    """(n,) squared error of items (n, …), summed over everything but n.

    >>> import torch
    >>> reconstruction(torch.zeros(1, 2, 2), torch.ones(1, 2, 2))
    tensor([4.])
    """
    return (x - again).square().flatten(1).sum(1)


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """(n,) KL divergence in nats of N(mean, exp(logvar)) from N(0, 1), summed over the D dimensions; >= 0.

    >>> import torch
    >>> divergence(torch.ones(1, 16), torch.zeros(1, 16))
    tensor([8.])
    """
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)


def sample(mean: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """(n, D) draws mean + exp(logvar/2)·noise, noise (n, D) of N(0, 1).

    Kingma & Welling 2014, arXiv 1312.6114.

    >>> import torch
    >>> sample(torch.ones(1, 1), torch.zeros(1, 1), torch.full((1, 1), 2.0))
    tensor([[3.]])
    """
    return mean + (0.5 * logvar).exp() * noise
