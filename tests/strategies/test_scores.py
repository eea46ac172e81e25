"""Strategies that value every candidate: the cards' worked numbers."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng, view_of
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import LABEL_PROBS, PROBS
from askwell.core.strategy import ScoreStrategy
from askwell.errors import UnknownName
from askwell.strategies import (
    BALD,
    BinaryEntropy,
    Entropy,
    LeastConfidence,
    Margin,
    MultiLabelBALD,
    PredictiveVariance,
    Random,
    VariationRatios,
)

P1 = torch.tensor([[0.50, 0.49, 0.01], [0.44, 0.40, 0.16], [0.46, 0.27, 0.27]])
FIRST = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.9, 0.1, 0.9, 0.1], [0.8, 0.7, 0.6, 0.4]])
M1 = torch.stack([FIRST, 1 - FIRST], 2)
PICKS = [
    (LeastConfidence(), P1, 10, 0.56),
    (Margin(), P1, 0, 0.99),
    (Entropy(), P1, 20, 1.064243),
    (BALD(draws=4), M1, 10, 0.368064),
    (VariationRatios("votes", draws=4), M1, 10, None),
]


@pytest.mark.parametrize(("strategy", "tensor", "item", "score"), PICKS)
def test_worked_pick(strategy: ScoreStrategy, tensor: Tensor, item: int, score: float | None) -> None:
    batch = strategy.select(view_of(strategy, {strategy.needs[0]: tensor}), 1, rng())
    assert batch.ids.tolist() == [item]
    assert batch.scores is not None
    assert score is None or float(batch.scores) == pytest.approx(score, abs=1e-6)


LABELS = torch.tensor([[0.5, 1.0, 0.0], [0.2, 0.8, 0.1], [0.9, 0.9, 0.1]])


def test_binary_entropies_count_all_labels_or_the_least_decided() -> None:
    """h(.5) = .6931; h(.2) = .5004; h(.1) = .3251: means .2310, .4420, .3251."""
    view = view_of(BinaryEntropy(), {LABEL_PROBS: LABELS})
    assert BinaryEntropy().scores(view).tolist() == pytest.approx([0.231049, 0.441962, 0.325083], abs=1e-6)
    assert BinaryEntropy("max").scores(view).tolist() == pytest.approx([0.693147, 0.500402, 0.325083], abs=1e-6)
    with pytest.raises(UnknownName, match=r"^unknown way to reduce 'sum': Known: max, mean$"):
        BinaryEntropy("sum")  # type: ignore[arg-type]  # the wrong name is the point


def test_information_about_labels_is_in_their_disagreement() -> None:
    """Item 0 is noise in every draw; item 1 disagrees on one of two labels: (log 2 − h(.1)) / 2."""
    strategy = MultiLabelBALD(draws=2)
    mc = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.5], [0.1, 0.5]]])
    found = strategy.scores(view_of(strategy, {strategy.needs[0]: mc}))
    assert found.tolist() == pytest.approx([0.0, (0.693147 - 0.325083) / 2], abs=1e-6)


def test_variance_adds_up_over_targets() -> None:
    strategy = PredictiveVariance(draws=2)
    mc = torch.tensor([[[1.0, 5.0], [3.0, 5.0]], [[2.0, 0.0], [2.0, 4.0]]])
    batch = strategy.select(view_of(strategy, {strategy.needs[0]: mc}), 2, rng())
    assert (batch.ids.tolist(), batch.scores.tolist()) == ([10, 0], [4.0, 1.0])


def test_ties_of_votes_go_to_the_larger_entropy() -> None:
    strategy = VariationRatios("votes", draws=4)
    first = torch.tensor([[0.9, 0.9, 0.9, 0.4], [0.6, 0.6, 0.6, 0.4], [0.9, 0.9, 0.1, 0.1]])
    view = view_of(strategy, {strategy.needs[0]: torch.stack([first, 1 - first], 2)})
    batch = strategy.select(view, 3, rng())
    assert batch.ids.tolist() == [20, 10, 0]
    assert_close(batch.scores // 0.25 * 0.25, torch.tensor([0.5, 0.25, 0.25]))


def test_naive_batch_takes_all_copies() -> None:
    strategy = BALD(draws=4)
    mc = torch.cat([M1[1:2].expand(5, -1, -1), M1[2:]])
    assert 50 not in strategy.select(view_of(strategy, {strategy.needs[0]: mc}), 3, rng()).ids.tolist()


def test_chunks_score_as_the_whole_does(monkeypatch: pytest.MonkeyPatch) -> None:
    p = torch.softmax(torch.randn(1000, 7, generator=rng()), 1)
    whole = Entropy().scores(view_of(Entropy(), {PROBS: p}))
    monkeypatch.setattr(Entropy, "chunk", 64)
    assert torch.equal(Entropy().scores(view_of(Entropy(), {PROBS: p})), whole)


def test_random_is_even_and_reads_nothing() -> None:
    view = view_of(Random(), {PROBS: P1})
    seen = [tuple(Random().select(view, 2, generator).ids.tolist()) for generator in map(rng, range(600))]
    assert len(set(seen)) == 6
    assert min(map(seen.count, set(seen))) > 70


def test_unknown_kind() -> None:
    with pytest.raises(UnknownName, match=r"^unknown kind of variation ratios 'vote': did you mean 'votes'"):
        VariationRatios("vote")  # type: ignore[arg-type]  # the wrong name is the point
