"""RAL: what the policy is shown, and how its chances become picks."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng, view_of
from torch import Tensor, nn
from torch.testing import assert_close

from askwell.core.needs import LOGIT_MOMENTS
from askwell.errors import InputError
from askwell.functional.moments import probit, relu_moments
from askwell.models.ranking_policy import RankingPolicy
from askwell.strategies import RAL
from askwell.strategies.policies import new_net
from askwell.strategies.ral import decide, listed


def moments(n: int, classes: int = 3, seed: int = 0) -> Tensor:
    drawn = torch.randn(n, classes, 2, generator=rng(seed))
    return torch.stack([2 * drawn[:, :, 0], drawn[:, :, 1].abs()], 2)


class First(nn.Module):
    """Always takes the slot of this number."""

    def __init__(self, slot: int) -> None:
        super().__init__()
        self.slot, self.seen = slot, []

    def forward(self, state: Tensor, there: Tensor) -> Tensor:
        self.seen.append((state, there))
        return torch.full(there.shape, -torch.inf).index_fill(1, torch.tensor([self.slot]), 0.0)


def test_the_list_is_by_summed_entropies() -> None:
    rows = moments(40)
    p = probit(*rows.double().unbind(2))
    entropies = -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(1)
    assert listed(rows, 12, rng()).tolist() == entropies.argsort(descending=True)[:12].tolist()


def test_the_policy_sees_every_twentieth_of_a_thousand() -> None:
    rows, policy = moments(1200), First(2)
    decisions = decide(policy, rows, 3, 50, 1000, rng())
    assert_close(policy.seen[0][0][0], rows[0:1000:20])
    assert [one.place for one in decisions] == [40, 41, 42]
    left = torch.cat([rows[:40], rows[41:]])
    assert_close(policy.seen[1][0][0], left[0:1000:20])


def test_a_short_list_leaves_slots_empty() -> None:
    policy = First(0)
    decisions = decide(policy, moments(4), 4, 6, 1000, rng())
    assert [one.place for one in decisions] == [0, 1, 2, 3]
    assert [there[0].tolist() for _, there in policy.seen][:2] == [[True] * 4 + [False] * 2, [True] * 3 + [False] * 3]
    assert not policy.seen[1][0][0, 3:].any()


def test_slots_are_drawn_by_their_chances() -> None:
    policy = new_net("ral", {"slots": 3, "classes": 2, "hidden": 16})
    policy.second.bias.data.copy_(torch.tensor([-1.5, 0.5, 3.0]))
    rows = moments(3, 2) * torch.tensor([1.0, 0.01])
    chances = policy(rows[None], torch.ones(1, 3, dtype=torch.bool))[0].detach().exp()
    assert float(chances.max() - chances.min()) > 0.1
    picks = torch.tensor([decide(policy, rows, 1, 3, 1000, rng(seed))[0].slot for seed in range(2000)])
    assert_close(picks.bincount(minlength=3) / 2000, chances, rtol=0, atol=0.04)


def test_chances_are_in_proportion_to_the_probit() -> None:
    policy = RankingPolicy(slots=2, classes=1, hidden=4)
    state, there = torch.randn(5, 2, 1, 2).abs(), torch.ones(5, 2, dtype=torch.bool)
    mean, var = state.flatten(1, 2).unbind(2)
    weights = probit(*policy.second(*relu_moments(*policy.first(mean, var))))
    assert_close(policy(state, there).exp(), weights / weights.sum(1, keepdim=True))


def test_the_variances_of_the_state_count() -> None:
    """Published code drops them in the first layer."""
    policy = RankingPolicy(slots=4, classes=2, hidden=16)
    state, there = moments(4, 2)[None], torch.ones(1, 4, dtype=torch.bool)
    wider = state * torch.tensor([1.0, 5.0])
    assert not torch.allclose(policy(state, there), policy(wider, there), atol=1e-4)


def test_picks_are_among_the_most_uncertain() -> None:
    strategy = RAL("untrained", kept=10, slots=5)
    rows = moments(60)
    batch = strategy.select(view_of(strategy, {LOGIT_MOMENTS: rows}), 4, rng())
    assert set((batch.ids // 10).tolist()) <= set(listed(rows, 10, rng()).tolist())
    assert bool(((batch.scores > 0) & (batch.scores <= 1)).all())


def test_draws_stand_in_for_moments() -> None:
    strategy = RAL("untrained", draws=4)
    p = torch.randn(20, 4, 3, generator=rng()).softmax(2)
    found = strategy._moments(p)
    assert_close(found[:, :, 0], p.log().mean(1))
    assert_close(found[:, :, 1], p.log().var(1, unbiased=False))


@pytest.mark.parametrize(("name", "least"), [("kept", 1), ("span", 1), ("slots", 1), ("draws", 0)])
def test_sizes_that_make_no_sense_are_refused(name: str, least: int) -> None:
    with pytest.raises(InputError, match=rf"^{name} of ral must be at least {least}, got -1$"):
        RAL("untrained", **{name: -1})
