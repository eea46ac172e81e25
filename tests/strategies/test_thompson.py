"""Thompson: a bandit that is paid by the classes of what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from strategy_views import rng
from torch import Tensor

from askwell.core.needs import LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.errors import InputError, UnmetNeeds
from askwell.strategies import LeastConfidence, Margin, Random, Thompson

P = torch.tensor([[0.99, 0.01]]) - torch.linspace(0, 0.6, 40)[:, None] * torch.tensor([[1.0, -1.0]])


class Sure(LeastConfidence):
    """Asks for what is surest."""

    def score(self, view: View) -> Tensor:
        return -super().score(view)


def view_of(
    strategy: Strategy, truth: Tensor, labelled: list[int], state: Mapping[str, Any], classes: int | None = 2
) -> View:
    known = torch.tensor(labelled, dtype=torch.int64)
    ids = torch.tensor([item for item in range(len(truth)) if item not in labelled])

    def fetch(needs: tuple[Need, ...], sets: Mapping[str, Tensor]) -> dict[Need, Tensor]:
        return {need: {PROBS: P[sets["candidates"]], LABELS: truth[known]}[need] for need in needs}

    return View(ids, strategy.needs, fetch, sets={"labelled": known}, num_classes=classes, state=state)


def test_counts_move_as_on_the_card() -> None:
    """Three picks by strategy 1 turned out to be of classes 1, 1 and 0."""
    truth = torch.zeros(40, dtype=torch.int64)
    truth[[30, 31]] = 1
    state = {
        "counts": torch.tensor([[5.0, 1.0], [2.0, 4.0]], dtype=torch.float64), "ids": torch.tensor([31, 30, 3]),
        "experts": torch.tensor([1, 1, 1]), "members": [None, None],
    }  # fmt: skip
    bandit = Thompson((Margin(), Sure()))
    batch = bandit.select(view_of(bandit, truth, [3, 30, 31], state), 4, rng())
    assert batch.state["counts"].tolist() == [[4.5, 0.9], [pytest.approx(2.8), pytest.approx(5.6)]]


def test_the_strategy_that_finds_the_rare_class_is_drawn() -> None:
    """Class 1 is where the model is sure, and rare among the labels."""
    truth = (torch.arange(40) < 12).long()
    bandit, labelled, state = Thompson((Margin(), Sure())), [38, 39], {}
    drawn = []
    for step in range(5):
        batch = bandit.select(view_of(bandit, truth, sorted(labelled), state), 3, rng(step))
        state, labelled = batch.state, [*labelled, *batch.ids.tolist()]
        drawn.append(float(state["experts"].double().mean()))
        if truth[labelled].double().mean() > 0.4:
            break
    assert sum(drawn) / len(drawn) > 0.5
    assert truth[labelled].sum() >= 4


def test_each_turn_takes_the_best_that_is_left() -> None:
    truth = torch.arange(40) % 2
    bandit = Thompson((Margin(), Sure()))
    batch = bandit.select(view_of(bandit, truth, [], {}), 9, rng(3))
    rankings = {
        expert: one.select(view_of(one, truth, [], {}), 9, rng()).ids.tolist()
        for expert, one in enumerate(bandit.strategies)
    }
    taken: list[int] = []
    for expert in batch.state["experts"].tolist():
        taken.append(next(item for item in rankings[expert] if item not in taken))
    assert batch.ids.tolist() == taken
    assert set(batch.state["experts"].tolist()) == {0, 1}


def test_two_equal_strategies_never_ask_twice() -> None:
    bandit = Thompson((Margin(), Margin()))
    batch = bandit.select(view_of(bandit, torch.arange(40) % 2, [], {}), 40, rng())
    assert sorted(batch.ids.tolist()) == list(range(40))


def test_sets_of_labels_are_counted_one_by_one() -> None:
    truth = torch.stack([torch.arange(40) < 30, torch.arange(40) >= 30], 1).long()
    bandit = Thompson((Margin(), Sure()))
    first = bandit.select(view_of(bandit, truth, [5, 35], {}, None), 4, rng())
    assert first.state["counts"].shape == (2, 2, 2)
    labelled = sorted([5, 35, *first.ids.tolist()])
    second = bandit.select(view_of(bandit, truth, labelled, first.state, None), 4, rng(1))
    assert float(second.state["counts"].sum()) == pytest.approx(8 * 0.9 + 4 * 2)


def test_another_number_of_classes_starts_anew() -> None:
    bandit, truth = Thompson((Margin(), Sure())), torch.arange(40) % 2
    state = bandit.select(view_of(bandit, truth, [], {}), 3, rng()).state
    again = bandit.select(view_of(bandit, truth, sorted(state["ids"].tolist()), state, 3), 3, rng())
    assert again.state["counts"].tolist() == [[1, 1, 1], [1, 1, 1]]


def test_numbers_have_no_classes() -> None:
    bandit = Thompson((Margin(), Random()))
    with pytest.raises(UnmetNeeds, match=r"^thompson weighs strategies by the classes that they find"):
        bandit.select(view_of(bandit, torch.arange(40.0), [1, 2], {}, None), 3, rng())


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match=r"^decay of thompson must be above 0 and at most 1, got 0.0$"):
        Thompson((Margin(), Random()), decay=0.0)
    with pytest.raises(InputError, match=r"^thompson chooses among two or more strategies, got \(Margin\(\),\)$"):
        Thompson((Margin(),))
