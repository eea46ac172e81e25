"""Tells latent vectors of labelled items from those of unlabelled ones."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Discriminator"]


class Discriminator(nn.Module):
    """(n, D) latents to (n,) logits; positive means "labelled". Two hidden layers, as in VAAL (arXiv 1904.00370).

    >>> import torch
    >>> Discriminator(4)(torch.ones(3, 4)).shape
    torch.Size([3])
    """

    def __init__(self, latent: int, width: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.layers(z).squeeze(1)
        return logits
