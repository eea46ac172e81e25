"""ALBL: a bandit that is paid by the accuracy on what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from strategy_views import rng
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.bandit import exp4p_chances
from askwell.strategies import ALBL, Activelab, LeastConfidence, Margin, Random

KNOWN = PROBS.at("labelled")
TRUTH = torch.arange(12) % 2
P = torch.tensor([[0.99, 0.01]]) - torch.linspace(0, 0.6, 12)[:, None] * torch.tensor([[1.0, -1.0]])
"""Item 11 is the least sure, margin picks it; `Sure` picks item 0."""


def view_of(strategy: Strategy, labelled: list[int], state: Mapping[str, Any], told: Tensor = P) -> View:
    ids = torch.tensor([item for item in range(12) if item not in labelled])
    known = torch.tensor(labelled, dtype=torch.int64)

    def fetch(needs: tuple[Need, ...], sets: Mapping[str, Tensor]) -> dict[Need, Tensor]:
        given = {PROBS: P[sets["candidates"]], KNOWN: told[known], LABELS: TRUTH[known]}
        return {need: given[need] for need in needs}

    return View(ids, strategy.needs, fetch, sets={"labelled": known}, num_classes=2, state=state)


class Sure(LeastConfidence):
    """Asks for what is surest."""

    def score(self, view: View) -> Tensor:
        return -super().score(view)


def test_a_step_of_the_card() -> None:
    """n = 10 of pool and labels, T = 100: an item of strategy 0 was drawn with chance .5, and is classified right."""
    bandit = ALBL((Margin(), Sure()))
    state = {
        "log_weights": torch.zeros(2, dtype=torch.float64), "size": 10, "ids": torch.tensor([11]),
        "chances": torch.tensor([0.5], dtype=torch.float64), "members": [None, None],
        "advice": torch.tensor([[2.0], [0.0]], dtype=torch.float64),
        "variances": torch.tensor([2.0, 2.0], dtype=torch.float64),
    }  # fmt: skip
    assert TRUTH[11] == P[11].argmax()
    moved = bandit.choose(view_of(bandit, [11], state), 1, rng()).state["log_weights"]
    assert_close(exp4p_chances(moved, 100), torch.tensor([0.500026, 0.499974], dtype=torch.float64), rtol=0, atol=1e-6)


def test_one_item_is_drawn_by_the_advice() -> None:
    """The two strategies have one favourite each; the draw falls on both alike."""
    bandit = ALBL((Margin(), Sure()))
    batches = [bandit.select(view_of(bandit, [], {}), 1, rng(seed)) for seed in range(400)]
    drawn = [int(batch.ids[0]) for batch in batches]
    margin = int(Margin().select(view_of(Margin(), [], {}), 1, rng()).ids[0])
    assert set(drawn) == {0, margin}
    assert 160 < drawn.count(0) < 240
    assert {round(float(batch.scores[0]), 6) for batch in batches} == {0.5}


def test_the_strategy_that_is_right_gains() -> None:
    """Items drawn by margin are classified right, those drawn by the other never."""
    bandit, state = ALBL((Margin(), Sure()), steps=20), {}
    right: dict[int, bool] = {}
    for step in range(8):
        told = torch.tensor([TRUTH[item] if right.get(item) else 1 - TRUTH[item] for item in range(12)])
        told = torch.nn.functional.one_hot(told, 2).float()
        batch = bandit.select(view_of(bandit, sorted(right), state, told), 1, rng(step))
        state = batch.state
        right[int(batch.ids[0])] = bool(state["advice"][0, 0] > 0)
    assert float(state["log_weights"][0]) > float(state["log_weights"][1])


def test_a_batch_is_one_update_with_the_mean_reward() -> None:
    bandit = ALBL((Margin(), Sure()), steps=10)
    first = bandit.select(view_of(bandit, [], {}), 4, rng())
    assert len(set(first.ids.tolist())) == 4
    assert_close(first.state["chances"], 4 * first.scores.double(), check_dtype=False)
    assert first.state["advice"].shape == (2, 4)
    labelled = sorted(first.ids.tolist())
    second = bandit.select(view_of(bandit, labelled, first.state), 4, rng(1))
    right = (P.argmax(1) == TRUTH)[first.ids].double()
    reward = float((right / first.state["chances"]).sum()) / (12 * 10)
    wanted = reward * first.state["advice"].mean(1)
    floor, bonus = (torch.log(torch.tensor(part)) / 20 for part in (2.0, 2 / 0.1))
    moved = floor.sqrt() / 2 * (wanted + first.state["variances"] * bonus.sqrt())
    assert_close(second.state["log_weights"], moved - moved.max(), rtol=1e-6, atol=1e-8)


def test_nothing_is_learnt_from_unanswered_questions() -> None:
    bandit = ALBL((Margin(), Sure()), steps=10)
    first = bandit.select(view_of(bandit, [], {}), 2, rng())
    again = bandit.select(view_of(bandit, [], first.state), 2, rng(1))
    assert again.state["log_weights"].tolist() == [0, 0]


def test_equal_strategies_stay_equal() -> None:
    bandit, labelled, state = ALBL((Margin(), Margin()), steps=10), [], {}
    for step in range(4):
        batch = bandit.select(view_of(bandit, sorted(labelled), state), 2, rng(step))
        state, labelled = batch.state, [*labelled, *batch.ids.tolist()]
    assert state["log_weights"].tolist() == [0, 0]


def test_members_keep_their_own_memory() -> None:
    inner = ALBL((Margin(), Sure()), steps=10)
    outer = ALBL((inner, Random()), steps=10)
    first = outer.select(view_of(outer, [], {}), 2, rng())
    assert first.state["members"][0]["size"] == 12
    assert first.state["members"][1] is None
    second = outer.select(view_of(outer, sorted(first.ids.tolist()), first.state), 2, rng(1))
    assert len(second.state["members"][0]["ids"]) == 4


@pytest.mark.parametrize(
    ("strategies", "settings", "message"),
    [
        ((Margin(),), {}, "albl chooses among two or more strategies, got (Margin(),)"),
        (
            (Margin(), Activelab()),
            {},
            "albl chooses among strategies that ask each item once and as many as are wanted, not activelab",
        ),
        ((Margin(), Random()), {"delta": 0.0}, "delta of albl must be above 0 and below 1, got 0.0"),
        ((Margin(), Random()), {"steps": 1}, "2 experts cannot be told apart in 1 steps: 2 are needed"),
    ],
)
def test_what_makes_no_sense_is_refused(strategies: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        ALBL(strategies, **settings)
    assert str(error.value) == message
