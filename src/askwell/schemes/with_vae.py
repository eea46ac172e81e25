"""Supervised training beside a variational auto-encoder of the whole pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import DECODER, LATENT, Need
from askwell.core.scheme import Draw, Outputs, Run
from askwell.errors import InputError
from askwell.models.vae import vae_for
from askwell.schemes.supervised import Supervised
from askwell.training.autoencoding import autoencode

__all__ = ["WithVAE"]


@dataclass(frozen=True)
class WithVAE(Supervised):
    """Supervised training of the net, after a VAE that has learnt all items, labelled or not, and no label.

    Need `latent` (N, D): the means of an item's Gaussian. Need `decoder`: latents (n, D) to items (n, …), with
    gradients, so that what a latent stands for can be shown, judged by the net, and changed. The VAE is fitted in the
    first round, in a phase before the net's; later rounds keep it. It never touches the net.

    latent     D; MLP VAE for vectors and small images, convolutional one for images of 32 pixels and more
    vae_steps  of 64 items each; vae_lr: Adam
    beta       weight of the divergence: 1 is the evidence bound; items whose squared differences are small need less,
               such as .1 for digits of 8x8, where 1 collapses

    Kingma & Welling 2014, "Auto-Encoding Variational Bayes", arXiv 1312.6114.

    >>> sorted(WithVAE().reads)
    ['labelled', 'previous', 'unlabelled']
    """

    latent: int = 16
    vae_steps: int = 1000
    vae_lr: float = 1e-3
    beta: float = 1.0

    offers: ClassVar[Mapping[Need, str]] = {**Supervised.offers, LATENT: "latents"}
    functions: ClassVar[Mapping[Need, str]] = {DECODER: "decoder"}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent", "vae_steps", "vae_lr"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of scheme WithVAE must be above 0, got {getattr(self, name)}")

    @property
    def reads(self) -> frozenset[str]:
        """What `Supervised` reads, the unlabelled items, and the last round's VAE."""
        return super().reads | {"unlabelled", "previous"}

    def train(self, run: Run) -> None:
        form, known = run.form, any(key.startswith("vae.") for key in run.previous)
        run.build(self.policy, **self.companions(run))
        run.build("warm", vae=lambda: vae_for(form, self.latent).build(form))
        everything = Draw(torch.cat([run.draw(name).ids for name in ("labelled", "unlabelled")]))
        steps = 0 if known else self.vae_steps
        autoencode(run, draw=everything, steps=steps, lr=self.vae_lr, beta=self.beta)
        self.descend(run)

    def latents(self, run: Run, outputs: Outputs) -> Tensor:
        """(n, D) means of the VAE's Gaussians."""
        means: Tensor = run.m.vae.encode(outputs.x)[0]
        return means

    def decoder(self, run: Run, z: Tensor) -> Tensor:
        """Latents (n, D) to items (n, …)."""
        items: Tensor = run.m.vae.decode(z)
        return items
