"""REINFORCE: chances of actions from what they brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from askwell.functional.policy import policy_loss, returns
from askwell.training.optimiser_state import moments, restore_moments

__all__ = ["Reinforce"]


@dataclass
class Reinforce:
    """A policy (log chances of actions) that is moved towards actions whose return is above the baseline.

    policy      a module with log chances (n, actions); with a method `divergence(precision)` where that has a weight
    divergence  weight of the KL divergence of its Gaussian weights from N(0, 1/precision)
    The baseline is the mean of all rewards of earlier updates. One Adam step per update.

    Williams 1992, doi:10.1007/BF00992696.
    """

    policy: Any
    lr: float = 1e-3
    gamma: float = 0.95
    divergence: float = 1.0
    precision: float = 100.0
    earned: float = 0.0
    rewarded: int = 0

    def __post_init__(self) -> None:
        self.optimiser = torch.optim.Adam(self.policy.parameters(), lr=self.lr)

    @property
    def baseline(self) -> float:
        """Mean of all past rewards; 0 before the first."""
        return self.earned / self.rewarded if self.rewarded else 0.0

    def update(self, states: Sequence[Tensor], actions: Tensor, rewards: Sequence[float]) -> None:
        """One step from one sequence of actions (n,), in order, in states (n, …) of each input of the policy."""
        gains = torch.tensor(returns(rewards, self.gamma)) - self.baseline
        taken = self.policy(*states).gather(1, actions[:, None])[:, 0]
        loss = policy_loss(taken, gains)
        if self.divergence:
            loss = loss + self.divergence * self.policy.divergence(self.precision)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.optimiser.step()
        self.earned, self.rewarded = self.earned + sum(rewards), self.rewarded + len(rewards)

    def state(self) -> dict[str, Tensor]:
        """All that further learning depends on."""
        net = {f"net.{key}": value.clone() for key, value in self.policy.state_dict().items()}
        known = {"earned": torch.tensor(self.earned, dtype=torch.float64), "rewarded": torch.tensor(self.rewarded)}
        return {**net, **moments(self.optimiser), **known}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts it where `state` found it."""
        self.policy.load_state_dict({key[4:]: value for key, value in state.items() if key.startswith("net.")})
        restore_moments(self.optimiser, state)
        self.earned, self.rewarded = float(state["earned"]), int(state["rewarded"])
