"""Q-learning finds the known values of a small decision problem, and goes on after a break as if there was none."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from askwell.training.q_learning import QLearner

FIRST, SECOND = torch.eye(2)
GAMMA = 0.9
VALUES = torch.tensor([[1.8, 1.0], [0.0, 2.0]])
"""In the first state action 0 leads to the second and action 1 ends with 1; there they end with 0 and with 2."""


class Table(nn.Module):
    """Values (n, 2) of a state that is one of two."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(2, 2))

    def forward(self, state: Tensor) -> Tensor:
        return state @ self.values


def learner(**changes: object) -> QLearner:
    numbers: dict[str, object] = {"lr": 0.05, "gamma": GAMMA, "capacity": 200, "epsilon": (1.0, 1.0), **changes}
    return QLearner(Table(), torch.Generator().manual_seed(0), **numbers)  # type: ignore[arg-type]


def play(agent: QLearner, episodes: int) -> list[float]:
    """Returns of episodes."""
    found = []
    for _ in range(episodes):
        action = agent.act((FIRST,))
        if action == 1:
            agent.learn((FIRST,), 1, 1.0, (FIRST,), True)
            found.append(1.0)
            continue
        agent.learn((FIRST,), 0, 0.0, (SECOND,), False)
        action = agent.act((SECOND,))
        agent.learn((SECOND,), action, 2.0 * action, (SECOND,), True)
        found.append(2.0 * action)
    return found


def test_values_are_those_of_the_problem() -> None:
    agent = learner()
    play(agent, 500)
    assert_close(agent.values([(FIRST,), (SECOND,)]), VALUES, rtol=0, atol=0.02)
    agent.epsilon = (0.0, 0.0)
    assert play(agent, 10) == [2.0] * 10


def test_random_actions_are_even() -> None:
    agent = learner()
    actions = [agent.act((FIRST,)) for _ in range(2000)]
    assert 900 < sum(actions) < 1100


def test_exploration_falls_on_a_line() -> None:
    agent = learner(epsilon=(0.5, 0.1), explore=100)
    chances = []
    for steps in (0, 50, 100, 1000):
        agent.steps = steps
        chances.append(round(agent.chance, 6))
    assert chances == [0.5, 0.3, 0.1, 0.1]


def test_nothing_moves_before_the_warm_up() -> None:
    agent = learner(warm_up=30)
    while agent.steps < 30:
        agent.learn((FIRST,), 1, 1.0, (FIRST,), True)
    assert not agent.net.values.any()
    agent.learn((FIRST,), 1, 1.0, (FIRST,), True)
    assert bool(agent.net.values.any())


def test_old_steps_give_way() -> None:
    agent = learner(capacity=4)
    for reward in range(6):
        agent.learn((FIRST,), 1, float(reward), (FIRST,), True)
    assert sorted(agent.memory["reward"].tolist()) == [2, 3, 4, 5]


def test_a_break_changes_nothing() -> None:
    whole, first, second = learner(), learner(), learner()
    for agent in (whole, first):
        play(agent, 60)
    second.restore(first.state())
    for agent in (whole, second):
        agent.rng = torch.Generator().manual_seed(9)
        play(agent, 60)
    assert all(torch.equal(value, second.state()[key]) for key, value in whole.state().items())


def test_no_global_generator_moves() -> None:
    before = torch.get_rng_state()
    play(learner(), 60)
    assert torch.equal(torch.get_rng_state(), before)
