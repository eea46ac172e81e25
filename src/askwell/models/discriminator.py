"""Tells latent vectors of labelled items from those of unlabelled ones."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

__all__ = ["Discriminator"]


class Discriminator(nn.Module):
    """(n, D) latents to (n,) logits; positive means "labelled". `depth` hidden layers of `width` ReLU units.

    The defaults are those of VAAL, Sinha, Ebrahimi & Darrell 2019, arXiv 1904.00370.

    >>> import torch
    >>> Discriminator(4)(torch.ones(3, 4)).shape
    torch.Size([3])
    """

    def __init__(self, latent: int, width: int = 512, depth: int = 2) -> None:
        super().__init__()
        widths = [latent, *[width] * depth]
        hidden = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(widths[-1], 1))

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.layers(z).squeeze(1)
        return logits
