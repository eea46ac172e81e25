"""Variational auto-encoders: a Gaussian over a latent vector per item, and a decoder back to the item."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from askwell.core.pool import Form
from askwell.errors import InputError
from askwell.models.net import refuse

__all__ = ["VAE", "ConvVAE", "MlpVAE", "vae_for"]


class VAE(nn.Module):
    """An encoder with two linear heads, and a decoder; losses are in `functional.vae`.

    Kingma & Welling 2014, "Auto-Encoding Variational Bayes", arXiv 1312.6114.
    """

    def __init__(self, encoder: nn.Module, width: int, latent: int, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean, self.logvar = nn.Linear(width, latent), nn.Linear(width, latent)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, D) means and log variances of the latent Gaussians of items (n, …)."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.logvar(hidden)

    def decode(self, z: Tensor) -> Tensor:
        """Latents (n, D) to items (n, …)."""
        items: Tensor = self.decoder(z)
        return items


@dataclass(frozen=True)
class MlpVAE:
    """A VAE of fully connected layers, `widths` in the encoder and the same in reverse in the decoder.

    >>> import torch
    >>> vae = MlpVAE(latent=4, widths=(8,)).build(Form("image", (1, 3, 3)))
    >>> vae.decode(vae.encode(torch.ones(2, 1, 3, 3))[0]).shape
    torch.Size([2, 1, 3, 3])
    """

    latent: int = 16
    widths: tuple[int, ...] = (256, 128)

    def build(self, form: Form) -> VAE:
        """The VAE for items of this form; takes vectors and images."""
        refuse(self, form, "vector", "image")
        sizes = (prod(form.shape), *self.widths)
        encoder = nn.Sequential(nn.Flatten(), *_layers(sizes))
        back = _layers((self.latent, *reversed(self.widths)))
        decoder = nn.Sequential(*back, nn.Linear(self.widths[0], sizes[0]), nn.Unflatten(1, form.shape))
        return VAE(encoder, sizes[-1], self.latent, decoder)


@dataclass(frozen=True)
class ConvVAE:
    """A VAE of 4x4 convolutions with stride 2 and batch norm: the network of VAAL with `channels` 128.

    Every one of the `depth` convolutions halves the image and doubles the channels; height and width must be multiples
    of 2**depth.

    Sinha, Ebrahimi & Darrell 2019, "Variational Adversarial Active Learning", arXiv 1904.00370.

    >>> import torch
    >>> vae = ConvVAE(latent=4, channels=8, depth=2).build(Form("image", (3, 8, 8)))
    >>> vae.decode(vae.encode(torch.ones(2, 3, 8, 8))[0]).shape
    torch.Size([2, 3, 8, 8])
    """

    latent: int = 32
    channels: int = 32
    depth: int = 3

    def build(self, form: Form) -> VAE:
        """The VAE for images of this form."""
        refuse(self, form, "image")
        inputs, height, width = form.shape
        factor = 2**self.depth
        if height % factor or width % factor:
            raise InputError(f"model {self!r} takes images whose sides are multiples of {factor}, got {height}x{width}")
        widths = [self.channels * 2**place for place in range(self.depth)]
        cells = (widths[-1], height // factor, width // factor)
        down = [_halve(*pair) for pair in zip([inputs, *widths], widths, strict=False)]
        up = [_double(*pair) for pair in zip(widths[::-1], widths[-2::-1], strict=False)]
        encoder = nn.Sequential(*down, nn.Flatten())
        decoder = nn.Sequential(
            nn.Linear(self.latent, prod(cells)),
            nn.Unflatten(1, cells),
            *up,
            nn.ConvTranspose2d(widths[0], inputs, 4, 2, 1),
        )
        return VAE(encoder, prod(cells), self.latent, decoder)


def vae_for(form: Form, latent: int) -> MlpVAE | ConvVAE:
    """The VAE that suits items of this form: convolutions for images whose sides are multiples of 8 from 32 on.

    >>> vae_for(Form("image", (1, 28, 28)), 16)
    MlpVAE(latent=16, widths=(256, 128))
    """
    if form.kind == "image" and min(form.shape[1:]) >= 32 and not any(side % 8 for side in form.shape[1:]):
        return ConvVAE(latent)
    return MlpVAE(latent)


def _layers(sizes: tuple[int, ...]) -> list[nn.Module]:
    return [layer for before, after in pairwise(sizes) for layer in (nn.Linear(before, after), nn.ReLU())]


def _halve(inputs: int, outputs: int) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def _double(inputs: int, outputs: int) -> nn.Module:
    conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())
