"""Fitting a variational auto-encoder: its loss per item, and the phase of a fit that trains one on items alone."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from askwell.core.scheme import Draw, Rows, Run
from askwell.functional.vae import divergence, reconstruction, sample
from askwell.training.weighting import no_loss, weighted_mean

__all__ = ["Autoencoder", "autoencode", "negative_bound"]


class Autoencoder(Protocol):
    """A module with a Gaussian over a latent vector per item, and a way back to the item: `models.vae.VAE`."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, D) means and log variances of items (n, …)."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Latents (n, D) to items (n, …)."""
        ...


def negative_bound(vae: Autoencoder, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
    """(n,) negative evidence bound of items (n, …), reconstruction + beta·divergence, and latent means (n, D).

    One draw per item, from the update's own random stream. Sums over pixels and dimensions, never means.

    Kingma & Welling 2014, arXiv 1312.6114.
    """
    mean, logvar = vae.encode(x)
    again = vae.decode(sample(mean, logvar, torch.randn_like(mean)))
    return reconstruction(x, again) + beta * divergence(mean, logvar), mean


def autoencode(
    run: Run,
    name: str = "vae",
    *,
    draw: str | Draw = "unlabelled",
    steps: int,
    size: int = 64,
    lr: float = 1e-3,
    beta: float = 1.0,
) -> None:
    """Trains the run's module `name` on the items of a draw, without any label: one phase of the fit.

    Items as they are, no augmentation; Adam. `run.build(vae=…)` comes first. Without items nothing moves.
    """
    vae = getattr(run.m, name)
    rows = run.stream(name, size, draw, ("eval",))
    update = run.update(name, vae, lr=lr)

    def loss(items: Rows) -> Tensor:
        return weighted_mean(negative_bound(vae, items.x, beta)[0]) if len(items) else no_loss(vae)

    for _ in run.clock(name, steps):
        update(loss, rows.next())
