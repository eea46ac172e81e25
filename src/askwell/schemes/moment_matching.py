"""A Bayesian network without draws: means and variances of all units, one probit per class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from askwell.core.needs import LOGIT_MOMENTS, Need
from askwell.core.scheme import Outputs, Rows, Run
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.moments import probit_loss
from askwell.models.moments import MomentNet, with_moments
from askwell.schemes.supervised import Supervised
from askwell.training.weighting import no_loss, weighted_mean

__all__ = ["MomentMatching"]


@dataclass(frozen=True)
class MomentMatching(Supervised):
    """Trains a Gaussian for every weight, whose moments go through the network in closed form.

    precision  α of the prior N(0, 1/α) of the weights
    epochs     passes over the labelled items; None where `steps` are given

    The network is that of the learner with Gaussian weights in place of its own: linear layers, convolutions and ReLU;
    dropout is left out. Logits have mean m and variance v (N, C), which are the need `logit_moments` (N, C, 2). A class
    against the rest has probability Φ(m/√(1+v)); `probs` are these divided by their sum. The loss is minus the
    logarithm of the chance of all C answers, yes for the label and no for the others, plus KL / M. Items have one
    class. A step costs three times one of `Supervised`.

    Defaults are those of the paper but for the learning rate, which is 1e-4 there for a convolutional network: 30
    passes of 10 items by Adam, each round from the weights of the last.

    Haußmann, Hamprecht and Kandemir 2019, "Deep Active Learning with Adaptive Acquisition", arXiv 1906.11471.

    >>> sorted(MomentMatching().reads)
    ['labelled', 'previous']
    """

    epochs: int | None = 30
    batch: int = 10
    lr: float = 1e-3
    kind: str = "adam"
    schedule: str = "constant"
    weight_decay: float = 0.0
    policy: str | tuple[object, ...] = "warm"
    precision: float = 10.0

    offers: ClassVar[Mapping[Need, str]] = {**Supervised.offers, LOGIT_MOMENTS: "logit_moments"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.precision > 0:
            raise InputError(f"precision of scheme MomentMatching must be above 0, got {self.precision}")

    def network(self, net: nn.Module) -> nn.Module:
        """The network with Gaussian weights."""
        return with_moments(net)

    def loss_of(self, run: Run, net: nn.Module, rows: Rows, per_class: Tensor | None) -> Tensor:
        """Weighted mean of the probit loss, and the divergence for each labelled item."""
        if not len(rows):
            return no_loss(net)
        if run.facts.num_classes is None or rows.y is None or rows.y.ndim != 1:
            raise UnmetNeeds(
                f"scheme moment_matching is for one class per item, and task {run.task!r} has other labels"
            )
        matched = cast(MomentNet, net)
        mean, var = matched.moments(rows.x)
        losses = probit_loss(mean, var, nn.functional.one_hot(rows.y, run.facts.num_classes))
        weights = rows.w if per_class is None else per_class[rows.y] * (1 if rows.w is None else rows.w)
        return weighted_mean(losses, weights) + matched.divergence(self.precision) / max(1, run.facts.n_labelled)

    def logit_moments(self, run: Run, outputs: Outputs) -> Tensor:
        """(n, C, 2) mean and variance of each logit."""
        return torch.stack(run.m.net.head.moments(outputs.z), 2)
