"""Deep Q-learning with a replay memory: values of actions from what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn

from askwell.functional.policy import targets_of_values
from askwell.training.chance import lend
from askwell.training.optimiser_state import moments, restore_moments

__all__ = ["QLearner", "State"]

State = tuple[Tensor, ...]
"""What the network reads, one row of each input."""


@dataclass
class QLearner:
    """A network of values (n, actions), trained on batches of remembered steps towards r + γ·max Q.

    capacity   steps that are remembered, the oldest give way
    batch      remembered steps per update; warm_up: steps before the first update
    epsilon    share of random actions at the first step, and after `explore` steps; between them on a line
    rng        of actions, batches and dropout
    There is no second network for the targets. Dropout is off while acting.

    Mnih et al. 2015, doi:10.1038/nature14236.
    """

    net: nn.Module
    rng: Generator
    actions: int = 2
    lr: float = 1e-6
    gamma: float = 0.99
    capacity: int = 1000
    batch: int = 32
    warm_up: int = 32
    epsilon: tuple[float, float] = (0.0, 0.0)
    explore: int = 100_000
    steps: int = 0
    memory: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=self.lr)

    @property
    def chance(self) -> float:
        """Of a random action now."""
        first, last = self.epsilon
        return last + (first - last) * max(0.0, 1 - self.steps / self.explore)

    def act(self, state: State) -> int:
        """The action of the highest value, or now and then a random one."""
        if self.chance > 0 and float(torch.rand(1, generator=self.rng)) < self.chance:
            return int(torch.randint(self.actions, (1,), generator=self.rng))
        return int(self.values([state])[0].argmax())

    def values(self, states: Sequence[State]) -> Tensor:
        """(n, actions) values, without dropout and gradients."""
        with torch.no_grad():
            found: Tensor = self.net.eval()(*map(torch.stack, zip(*states, strict=True)))
        return found

    def learn(self, state: State, action: int, reward: float, following: State, ended: bool) -> None:
        """Remembers a step, and after the warm-up makes one update."""
        self._remember(state, action, reward, following, ended)
        self.steps += 1
        if self.steps > self.warm_up:
            with lend(self.rng):
                self._update()

    def state(self) -> dict[str, Tensor]:
        """All that further learning depends on, save `rng`."""
        net = {f"net.{key}": value.clone() for key, value in self.net.state_dict().items()}
        memory = {f"memory.{key}": value.clone() for key, value in self.memory.items()}
        return {**net, **memory, **moments(self.optimiser), "steps": torch.tensor(self.steps)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts it where `state` found it."""
        parts = {key.partition(".")[0] for key in state}
        taken = {
            part: {key.partition(".")[2]: state[key] for key in state if key.startswith(f"{part}.")} for part in parts
        }
        self.net.load_state_dict(taken["net"])
        self.memory = {key: value.clone() for key, value in taken.get("memory", {}).items()}
        restore_moments(self.optimiser, state)
        self.steps = int(state["steps"])

    def _remember(self, state: State, action: int, reward: float, following: State, ended: bool) -> None:
        row = {
            **{f"state{place}": part for place, part in enumerate(state)},
            **{f"following{place}": part for place, part in enumerate(following)},
            "action": torch.tensor(action), "reward": torch.tensor(reward), "ended": torch.tensor(ended),
        }  # fmt: skip
        if not self.memory:
            self.memory = {key: part.new_zeros(self.capacity, *part.shape) for key, part in row.items()}
        for key, part in row.items():
            self.memory[key][self.steps % self.capacity] = part

    def _update(self) -> None:
        rows = torch.randint(min(self.steps, self.capacity), (self.batch,))
        told = {key: part[rows] for key, part in self.memory.items()}
        state, following = (
            [told[key] for key in sorted(told) if key.startswith(word)] for word in ("state", "following")
        )
        with torch.no_grad():
            later = self.net.eval()(*following)
        targets = targets_of_values(told["reward"], later, told["ended"], self.gamma)
        values = self.net.train()(*state).gather(1, told["action"][:, None])[:, 0]
        self.optimiser.zero_grad()
        (values - targets).square().mean().backward()
        self.optimiser.step()
