"""Greedy sampling on five points of a line: inputs, outputs, both, the start, and batches."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import FEATURES, LABELS, PREDICTIONS
from askwell.core.spec import parse
from askwell.core.view import View
from askwell.errors import ColdStart, UnknownName
from askwell.strategies import GreedySampling

X = torch.tensor([[1.0], [2.0], [4.0], [7.0], [8.0]])
Y = torch.tensor([[3.0], [-6.0], [2.0], [0.5], [1.0]])
KNOWN_X, KNOWN_Y = torch.tensor([[0.0], [6.0]]), torch.tensor([0.0, 4.0])


def view(strategy: GreedySampling, x_known: Tensor = KNOWN_X, y_known: Tensor = KNOWN_Y) -> View:
    tensors = {FEATURES: X, FEATURES.at("labelled"): x_known, PREDICTIONS: Y, LABELS: y_known}
    return view_of(strategy, {need: tensors[need] for need in strategy.needs}, labelled=len(y_known))


@pytest.mark.parametrize(
    ("over", "ids", "scores"),
    [
        # to the nearer of 0 and 6: 1, 2, 2, 1, 2; the three lie at least 2 apart
        ("inputs", {10, 20, 40}, [2.0, 2.0, 2.0]),
        # to the nearer of 0 and 4: 1, 6, 2, .5, 1
        ("outputs", {10, 20}, [6.0, 2.0]),
        # times each other to (0, 0): 3, 12, 8, 3.5, 8; to (6, 4): 5, 40, 4, 3.5, 6
        ("both", {10, 40}, [12.0, 6.0]),
    ],
)
def test_worked_picks(over: str, ids: set[int], scores: list[float]) -> None:
    strategy = GreedySampling(over)  # type: ignore[arg-type]  # one of the names
    batch = strategy.select(view(strategy), len(scores), rng())
    assert set(batch.ids.tolist()) == ids
    assert batch.scores is not None
    assert batch.scores.tolist() == pytest.approx(scores)


def test_within_a_batch_a_pick_counts_with_its_prediction() -> None:
    """Item 30, 3.5 from both labels, is 1 · .5 from item 40 (x = 8, y = 1), which is picked before it."""
    strategy = GreedySampling("both")
    batch = strategy.select(view(strategy), 5, rng())
    assert batch.ids.tolist() == [10, 40, 20, 0, 30]
    assert batch.scores is not None
    assert batch.scores.tolist() == pytest.approx([12.0, 6.0, 4.0, 3.0, 0.5], abs=1e-6)


def test_with_no_labels_inputs_start_in_the_middle() -> None:
    """The mean is 4.4: item 20 first, then the ends."""
    strategy = GreedySampling("inputs")
    batch = strategy.select(view(strategy, X[:0], KNOWN_Y[:0]), 3, rng())
    assert batch.ids.tolist() == [20, 40, 0]


@pytest.mark.parametrize("over", ["outputs", "both"])
def test_outputs_need_labels(over: str) -> None:
    strategy = GreedySampling(over)  # type: ignore[arg-type]  # one of the names
    with pytest.raises(ColdStart) as caught:
        strategy.select(view(strategy, X[:0], KNOWN_Y[:0]), 1, rng())
    assert str(caught.value).startswith("strategy 'greedy_sampling' needs labelled items and there are none")
    assert (strategy.cold_start, GreedySampling("inputs").cold_start, GreedySampling.cold_start) == (False, True, False)


def test_close_predictions_far_from_zero_are_told_apart() -> None:
    """Predictions at 1000 apart by thousandths: float32 products would round their distances to nothing."""
    strategy = GreedySampling("outputs")
    predictions = torch.tensor([[1000.001], [1000.003], [1000.006]])
    made = view_of(strategy, {PREDICTIONS: predictions, LABELS: torch.tensor([1000.0])}, labelled=1)
    assert strategy.select(made, 3, rng()).ids.tolist() == [20, 10, 0]


def test_is_written_by_its_word() -> None:
    assert parse("strategies", "greedy_sampling(over=inputs)") == GreedySampling("inputs")
    with pytest.raises(UnknownName, match=r"^unknown kind of greedy sampling 'output': did you mean 'outputs'\?"):
        GreedySampling("output")  # type: ignore[arg-type]  # the wrong name is the point
