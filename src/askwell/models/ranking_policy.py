"""A policy that picks one of a list of items by what a Bayesian model says of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from askwell.functional.moments import log_probit, relu_moments
from askwell.models.moments import MomentLayer

__all__ = ["RankingPolicy"]


class RankingPolicy(nn.Module):
    """Means and variances (n, slots, C) of the logits of listed items to log chances (n, slots) of picking each.

    Two layers with Gaussian weights; the chance of a slot is in proportion to Φ(μ/√(1+v)) of its output's moments.
    Slots that are empty, where `there` (n, slots) is False, are never picked.
    Haußmann, Hamprecht and Kandemir 2019, arXiv 1906.11471, with 50 slots and 256 hidden units.

    >>> policy = RankingPolicy(slots=3, classes=2, hidden=4)
    >>> state = torch.zeros(1, 3, 2, 2)
    >>> policy(state, torch.tensor([[True, True, False]])).exp().sum()
    tensor(1.0000, grad_fn=<SumBackward0>)
    """

    def __init__(self, slots: int = 50, classes: int = 10, hidden: int = 256) -> None:
        super().__init__()
        self.first = MomentLayer.linear(slots * classes, hidden)
        self.second = MomentLayer.linear(hidden, slots)

    def forward(self, state: Tensor, there: Tensor) -> Tensor:
        """Log chances of states (n, slots, C, 2)."""
        mean, var = state.flatten(1, 2).unbind(2)
        chances = log_probit(*self.second(*relu_moments(*self.first(mean, var))))
        return chances.masked_fill(~there, -torch.inf).log_softmax(1)

    def divergence(self, precision: float) -> Tensor:
        """KL divergence of the weights from N(0, 1/precision), a scalar in nats, up to a constant."""
        return self.first.divergence(precision) + self.second.divergence(precision)
