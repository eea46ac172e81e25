"""Variational adversarial active learning: labelled and unlabelled items told apart in a shared latent space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from askwell.core.needs import LATENT_SCORE, Need
from askwell.core.scheme import Outputs, Rows, Run
from askwell.errors import InputError
from askwell.functional.adversarial import fooling, telling
from askwell.models.discriminator import Discriminator
from askwell.models.vae import vae_for
from askwell.schemes.supervised import Supervised
from askwell.training.autoencoding import negative_bound
from askwell.training.stops import stop_of
from askwell.training.weighting import no_loss, weighted_mean

__all__ = ["VAAL"]

LOOKED_AT = 2048


@dataclass(frozen=True)
class VAAL(Supervised):
    """Supervised training of the net, with a VAE and a discriminator beside it that never touch the net.

    Each step: one of the task, then `vae_steps` of the VAE on new pairs of a labelled and an unlabelled batch, then
    one of the discriminator on the last pair. The VAE reconstructs both sides and makes both look labelled; the
    discriminator, which sees means and not draws, tells them apart. Need `latent_score` (N,): minus its logit, so
    higher looks less labelled. A `stop` ends the adversary
    together with the task.

    pairs      items of each side per step
    latent     D; MLP VAE for vectors and small images, convolutional one for images of 32 pixels and more
    adversary  weight of fooling against the VAE's own loss (λ2 / λ1)
    beta       weight of the divergence: 1 for images of 28 pixels and more; items whose squared differences are small
               need less, such as .1 for digits of 8x8, where 1 collapses
    vae_lr     learning rate of the VAE and the discriminator, both Adam

    `notes["latent_std"]` is the spread of the means over unlabelled items; below .1 the VAE has collapsed, the picks
    are as good as random, and `notes["collapse"]` says so.

    Sinha, Ebrahimi & Darrell 2019, "Variational Adversarial Active Learning", arXiv 1904.00370. Losses sum over pixels
    and dimensions, where the authors' code averages some of them and collapses; the task's optimiser is Supervised's.

    >>> sorted(VAAL().reads), VAAL().steps is None
    (['labelled', 'unlabelled'], True)
    """

    pairs: int = 64
    latent: int = 16
    vae_steps: int = 2
    vae_lr: float = 5e-4
    adversary: float = 1.0
    beta: float = 1.0

    most_steps: ClassVar[int] = 600
    offers: ClassVar[Mapping[Need, str]] = {**Supervised.offers, LATENT_SCORE: "latent_score"}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pairs", "latent", "vae_steps", "vae_lr"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of scheme VAAL must be above 0, got {getattr(self, name)}")

    @property
    def reads(self) -> frozenset[str]:
        """What `Supervised` reads, and the unlabelled items."""
        return super().reads | {"unlabelled"}

    def train(self, run: Run) -> None:
        m = run.build(self.policy, **self.companions(run))
        step = self.supervise(run)
        labelled = run.stream("pair", self.pairs, "labelled", ("eval",))
        unlabelled = run.stream("unlabelled", self.pairs, views=("eval",))
        vae = run.update("vae", m.vae, lr=self.vae_lr)
        disc = run.update("disc", m.disc, lr=self.vae_lr)
        for tick in run.clock("fit", self.length(run.facts), self.pass_length(run.facts), stop_of(self.stop)):
            step(tick)
            for _ in range(self.vae_steps):
                pair = labelled.next(), unlabelled.next()
                vae(self.vae_loss, run, *pair)
            disc(self.disc_loss, run, *pair)
        self.conclude(run)
        self.report_spread(run)

    def companions(self, run: Run) -> Mapping[str, Callable[[], nn.Module]]:
        """The VAE and the discriminator, beside what `Supervised` builds."""
        form = run.form
        own: dict[str, Callable[[], nn.Module]] = {
            "vae": lambda: vae_for(form, self.latent).build(form),
            "disc": lambda: Discriminator(self.latent),
        }
        return {**super().companions(run), **own}

    def vae_loss(self, run: Run, labelled: Rows, unlabelled: Rows) -> Tensor:
        """Both sides' negative evidence bound, and looking labelled."""
        sides = [self._side(run, rows) for rows in (labelled, unlabelled)]
        fooled = fooling(*(run.m.disc(mean) for _, mean in sides))
        return sides[0][0] + sides[1][0] + self.adversary * fooled

    def disc_loss(self, run: Run, labelled: Rows, unlabelled: Rows) -> Tensor:
        """Labelled means towards 1, unlabelled ones towards 0; no gradient reaches the VAE."""
        with torch.no_grad():
            means = [self._encode(run, rows)[0] for rows in (labelled, unlabelled)]
        return telling(*(run.m.disc(mean) for mean in means))

    def latent_score(self, run: Run, outputs: Outputs) -> Tensor:
        """(n,) minus the discriminator's logit of the latent mean: higher looks less labelled."""
        score: Tensor = -run.m.disc(run.m.vae.encode(outputs.x)[0])
        return score

    def report_spread(self, run: Run) -> None:
        """Notes how far the latent means spread, and a collapse."""
        ids = run.draw("unlabelled").ids[:LOOKED_AT]
        if len(ids) < 2:
            return
        spread = float(run.compute(lambda x: run.m.vae.encode(x)[0], ids, run.m.vae).std(0).mean())
        run.report.notes["latent_std"] = spread
        if spread < 0.1:
            run.report.notes["collapse"] = (
                f"the VAE has collapsed: its latent means spread {spread:.3f}, below .1, so latent_score says nothing; "
                "lower beta"
            )

    def _side(self, run: Run, rows: Rows) -> tuple[Tensor, Tensor]:
        """One side's bound, and its latent means (n, D)."""
        if not len(rows):
            return no_loss(run.m.vae), self._encode(run, rows)[0]
        losses, mean = negative_bound(run.m.vae, rows.x, self.beta)
        return weighted_mean(losses), mean

    def _encode(self, run: Run, rows: Rows) -> tuple[Tensor, Tensor]:
        if len(rows):
            mean, logvar = run.m.vae.encode(rows.x)
            return mean, logvar
        none = torch.empty(0, self.latent, device=rows.ids.device)
        return none, none
