"""Deep probabilistic ensembles: networks that are trained together, and whose weights spread as a prior does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from askwell.core.scheme import Rows, Run
from askwell.errors import InputError
from askwell.functional.coupling import coupling
from askwell.schemes.supervised import Supervised

__all__ = ["DPE"]

FEWEST = 4
"""Members below which the variance over them is too uncertain to divide by."""
LEAST = 1e-6
"""Added to the variance over the members, whose inverse has no end where they agree."""
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
NORM_VARIANCE = 0.01


class Prior(NamedTuple):
    """Of every number in one parameter."""

    mean: float
    variance: float


@dataclass(frozen=True)
class DPE(Supervised):
    """Trains E networks at once, on the same batches, and couples each weight to its namesakes in the other networks.

    members  E, at least 4: with fewer the penalty is not stable
    beta     weight of the penalty

    The loss is Σ_e of the task's loss, and beta · Σ_w log s² + σ²/s² + (μ − m)²/s² with mean μ and variance s² of each
    weight over the members. Priors N(m, σ²): of linear and convolutional layers m = 0 and σ² = 2 / (outputs · kernel),
    biases included; of norms σ² = .01 with m = 1 for scales and 0 for shifts. Other layers, such as embeddings, are
    left alone. Weight decay is 0 unless it is given: the penalty stands in its place. Gradients of all members together
    are clipped to length 1: the scales of norms start equal, where the penalty is so steep that SGD overshoots.

    The draws of `mc_probs` are the members; `probs` and what is predicted are their mean; all else, and what a `stop`
    measures, is of the first. A file of one network, by `policy`, starts the first alone. Time and memory
    of E networks.

    Chitta, Álvarez and Lesnikowski 2018, "Deep Probabilistic Ensembles", arXiv 1811.02640; for active learning
    "Large-Scale Visual Active Learning with Deep Probabilistic Ensembles", arXiv 1811.03575.

    >>> DPE(members=8).most_draws
    8
    """

    weight_decay: float = 0.0
    clip: float = 1.0
    members: int = 8
    beta: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < FEWEST:
            raise InputError(
                f"members of scheme DPE must be at least {FEWEST}, got {self.members}: the variance over fewer is too "
                "uncertain",
                got=self.members,
            )
        if not self.beta >= 0:
            raise InputError(f"beta of scheme DPE must not be negative, got {self.beta}", got=self.beta)
        if self.average:
            raise InputError("average of scheme DPE must be (): its members are averaged by what they say")

    @property
    def most_draws(self) -> int:
        """E."""
        return self.members

    def committee(self, run: Run) -> tuple[nn.Module, ...]:
        """The members; the learner's own net is the first."""
        return (run.m.net, *(getattr(run.m, name) for name in self._others))

    def companions(self, run: Run) -> Mapping[str, Callable[[], nn.Module]]:
        """The members but the first, each with weights of its own."""
        return {**super().companions(run), **dict.fromkeys(self._others, run.makers["net"])}

    def trained(self, run: Run) -> Sequence[nn.Module]:
        return self.committee(run)

    def loss(self, run: Run, rows: Rows, per_class: Tensor | None = None) -> Tensor:
        """Sum of the members' losses, and the penalty."""
        nets = self.committee(run)
        fit = torch.stack([self.loss_of(run, net, rows, per_class) for net in nets]).sum()
        return fit + self.beta * penalty(nets) if self.beta else fit

    @property
    def _others(self) -> tuple[str, ...]:
        return tuple(f"member{place}" for place in range(1, self.members))


def penalty(nets: Sequence[nn.Module]) -> Tensor:
    """Σ over all layers with a prior of the coupling of their weights: a scalar. O(E·weights)."""
    terms = [
        coupling(torch.stack([net.get_parameter(name) for net in nets]), prior.variance, prior.mean, LEAST)
        for name, prior in priors(nets[0])
    ]
    return torch.stack(terms).sum() if terms else torch.zeros(())


def priors(net: nn.Module) -> Iterator[tuple[str, Prior]]:
    """Name and prior of every parameter that has one.

    >>> list(priors(nn.Conv2d(3, 16, 3)))
    [('weight', Prior(mean=0.0, variance=0.0138...)), ('bias', Prior(mean=0.0, variance=0.0138...))]
    """
    for path, layer in net.named_modules():
        for own, _ in layer.named_parameters(recurse=False):
            prior = _prior(layer, own)
            if prior is not None:
                yield f"{path}.{own}".lstrip("."), prior


def _prior(layer: nn.Module, own: str) -> Prior | None:
    if isinstance(layer, NORMS):
        return Prior(1.0 if own == "weight" else 0.0, NORM_VARIANCE)
    if isinstance(layer, WEIGHTED):
        outputs = layer.weight.shape[0]
        return Prior(0.0, 2 / (outputs * layer.weight[0, 0].numel()))
    return None
