"""REINFORCE: returns of a small decision problem rise, and a break changes nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from askwell.models.ranking_policy import RankingPolicy
from askwell.training.reinforce import Reinforce

PAYS = (0.0, 0.2, 1.0)


class Choice(nn.Module):
    """Log chances (n, 3), the same in every state."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(3))

    def forward(self, state: Tensor) -> Tensor:
        return self.logits.log_softmax(0).expand(len(state), 3)


def play(agent: Reinforce, rng: torch.Generator, episodes: int) -> list[float]:
    """Mean reward of each episode of four steps."""
    found, state = [], torch.zeros(4, 1)
    for _ in range(episodes):
        chances = agent.policy(state).detach().exp()
        actions = torch.multinomial(chances, 1, generator=rng)[:, 0]
        rewards = [PAYS[action] for action in actions.tolist()]
        agent.update([state], actions, rewards)
        found.append(sum(rewards) / 4)
    return found


def agent(**changes: float) -> Reinforce:
    return Reinforce(Choice(), **{"lr": 0.05, "gamma": 0.0, "divergence": 0.0, **changes})


def test_returns_rise() -> None:
    learner = agent()
    found = play(learner, torch.Generator().manual_seed(0), 200)
    assert sum(found[:20]) / 20 < 0.7
    assert sum(found[-20:]) / 20 > 0.9
    assert int(learner.policy.logits.argmax()) == 2


def test_returns_rise_where_the_state_says_which_slot_pays() -> None:
    """The item with the largest mean pays 1, wherever it stands in the list."""
    torch.manual_seed(0)
    learner = Reinforce(RankingPolicy(slots=4, classes=1, hidden=32), lr=1e-2, gamma=0.0, divergence=0.0)
    rng, there, found = torch.Generator().manual_seed(1), torch.ones(8, 4, dtype=torch.bool), []
    for _ in range(300):
        state = torch.rand(8, 4, 1, 2, generator=rng)
        chances = learner.policy(state, there).detach().exp()
        actions = torch.multinomial(chances, 1, generator=rng)[:, 0]
        rewards = (actions == state[:, :, 0, 0].argmax(1)).float()
        learner.update([state, there], actions, rewards.tolist())
        found.append(float(rewards.mean()))
    assert sum(found[:30]) / 30 < 0.4
    assert sum(found[-30:]) / 30 > 0.6


def test_the_baseline_is_the_mean_of_earlier_rewards() -> None:
    learner = agent()
    assert learner.baseline == 0
    learner.update([torch.zeros(2, 1)], torch.tensor([0, 1]), [1.0, 0.0])
    learner.update([torch.zeros(2, 1)], torch.tensor([0, 1]), [1.0, 1.0])
    assert learner.baseline == 0.75


def test_divergence_draws_weights_towards_the_prior() -> None:
    torch.manual_seed(0)
    learner = Reinforce(RankingPolicy(slots=2, classes=1, hidden=8), lr=1e-2, divergence=1.0, precision=100.0)
    before, weights = learner.policy.divergence(100.0).detach(), learner.policy.first.mean.detach().abs().mean()
    state, there = torch.zeros(1, 2, 1, 2), torch.ones(1, 2, dtype=torch.bool)
    for _ in range(50):
        learner.update([state, there], torch.tensor([0]), [0.0])
    assert learner.policy.divergence(100.0) < before
    assert learner.policy.first.mean.abs().mean() < weights / 2


def test_a_break_changes_nothing() -> None:
    whole, first, second = agent(), agent(), agent()
    for learner in (whole, first):
        play(learner, torch.Generator().manual_seed(2), 20)
    second.restore(first.state())
    for learner in (whole, second):
        play(learner, torch.Generator().manual_seed(3), 20)
    assert all(torch.equal(value, second.state()[key]) for key, value in whole.state().items())
