"""Bayes by backprop: a Gaussian for every weight of some layers, learned by the evidence bound."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn

from askwell.core.scheme import Facts, Rows, Run
from askwell.errors import InputError
from askwell.models.bayes import divergence_of, gaussian_layers, with_gaussians
from askwell.schemes.supervised import Supervised

__all__ = ["Variational"]

NOISE = 0.2
"""Root of Σμ² / Σσ² below which Gaussian weights say next to nothing."""


@dataclass(frozen=True)
class Variational(Supervised):
    """Trains means and spreads of Gaussian weights: the task's loss, and the divergence from a prior N(0, prior²).

    layers  which linear and convolutional layers have Gaussian weights: None for all; a number, that many counted from
            the output; flags from the output backwards, such as (True, False, True). Layers side by side, such as
            filters of several widths, count one by one, the last named first. The others, and embeddings and norms,
            are trained as usual, and dropout layers of the network are off
    prior   standard deviation of the prior
    spread  standard deviation that all Gaussian weights start with
    weight  of the divergence: 1 is the evidence bound, less is a posterior that is colder, so more like the data

    A step's loss is the mean of the task's loss plus weight · KL / (steps of a pass · items of a step): the bound
    KL / steps + Σ loss over the items of the step, for each of them. Outputs are drawn by local reparameterisation.
    Weights at their means give `probs`, `embedding` and all else; `mc_probs` draws weights, the same for all items,
    and computes what comes before the first Gaussian layer only once. Weight decay is 0 unless it is given.
    Twice the weights; a step costs about twice one of `Supervised`.

    `notes["signal_to_noise"]` is the root of Σμ² / Σσ²; where it is next to nothing the labels do not outweigh the
    prior, and `notes["collapse"]` says so.

    Blundell et al. 2015, arXiv 1505.05424; Kingma et al. 2015, arXiv 1506.02557; with a few Gaussian layers: Zeng,
    Lesnikowski and Alvarez 2018, arXiv 1811.12535.

    >>> Variational(layers=1).per_item(Facts(3, 3, 90, 0, 0, 0))
    0.010416...
    """

    weight_decay: float = 0.0
    layers: int | tuple[bool, ...] | None = None
    prior: float = 1.0
    spread: float = 0.02
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("prior", "spread"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of scheme Variational must be above 0, got {getattr(self, name)}")
        if not self.weight >= 0:
            raise InputError(f"weight of scheme Variational must not be negative, got {self.weight}")

    def network(self, net: nn.Module) -> nn.Module:
        """The network with Gaussian layers."""
        return with_gaussians(net, self.layers, self.spread)

    def loss(self, run: Run, rows: Rows, per_class: Tensor | None = None) -> Tensor:
        """The negative evidence bound per item."""
        fit = super().loss(run, rows, per_class)
        return fit + self.per_item(run.facts) * divergence_of(run.m.net, self.prior)

    def conclude(self, run: Run) -> None:
        """Notes how large the weights are beside their spread, and where nothing but noise is left."""
        super().conclude(run)
        with torch.no_grad():
            pairs = [layer.weight for layer in gaussian_layers(run.m.net)]
            squares = [sum(float(part.square().sum()) for part in parts) for parts in zip(*pairs, strict=True)]
        signal = (squares[0] / squares[1]) ** 0.5
        run.report.notes["signal_to_noise"] = signal
        if signal < NOISE:
            run.report.notes["collapse"] = (
                f"the weights are noise: their means are {signal:.3f} of their spread, below {NOISE}, for the labels "
                "do not outweigh the prior; lower weight, or give more labels or a wider prior"
            )

    def per_item(self, facts: Facts) -> float:
        """What the divergence is multiplied by: weight / (steps of a pass · items of a step)."""
        size = min(self.batch, max(2, facts.n_labelled))
        return self.weight / (ceil(max(1, facts.n_labelled) / size) * size)
