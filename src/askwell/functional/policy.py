"""Arithmetic of policies that are learned: returns, targets of values, gains over a baseline, thinned lists."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["policy_loss", "returns", "targets_of_values", "thinned"]


def returns(rewards: Sequence[float], gamma: float) -> list[float]:
    """Return of every step: its reward, and gamma times the return of the next one. O(steps).

    >>> [round(value, 4) for value in returns([.1, -.05, .6], .95)]
    [0.594, 0.52, 0.6]
    """
    found, later = [], 0.0
    for reward in reversed(rewards):
        later = reward + gamma * later
        found.append(later)
    return found[::-1]


def targets_of_values(rewards: Tensor, following: Tensor, ended: Tensor, gamma: float) -> Tensor:
    """What the value of each taken action should be, (n,): r + gamma · max Q(s'), and r where the episode ended.

    rewards (n,); following (n, actions) values in the next state; ended (n,) bool

    Mnih et al. 2015, doi:10.1038/nature14236.

    >>> targets_of_values(torch.tensor([.02, .02]), torch.tensor([[.1, 0.]] * 2), torch.tensor([False, True]), .99)
    tensor([0.1190, 0.0200])
    """
    return rewards + gamma * following.amax(1) * ~ended


def policy_loss(log_chances: Tensor, gains: Tensor) -> Tensor:
    """REINFORCE: −Σ gain · log π of the actions taken, a scalar; gains are returns less a baseline, both (n,).

    Williams 1992, doi:10.1007/BF00992696.

    >>> policy_loss(torch.tensor([.5, .25]).log(), torch.tensor([1.0, -2.0]))
    tensor(-2.0794)
    """
    return -(gains * log_chances).sum()


def thinned(length: int, slots: int, most: int) -> Tensor:
    """Places in a ranked list that stand for it: evenly spaced over the first `most`, at most `slots`.

    >>> thinned(1200, 50, 1000)[:4], thinned(7, 3, 1000), thinned(2, 3, 1000)
    (tensor([ 0, 20, 40, 60]), tensor([0, 2, 4]), tensor([0, 1]))
    """
    step = max(1, min(length, most) // slots)
    return torch.arange(0, min(length, most), step)[:slots]
