"""Strategies around a strategy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
import torch
from strategy_views import rng, tensors_for, view_of

from askwell.core.needs import LABELS, PROBS, Need, Over
from askwell.core.spec import parse
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.errors import BadShape, InputError, UnknownName
from askwell.strategies import BADGE, BALD, BatchBALD, ClassBalance, Entropy, Margin, Stochastic, Subsample


def two_class(uncertainty: torch.Tensor, predicted: torch.Tensor, classes: int = 3) -> torch.Tensor:
    """Probabilities whose least confidence is given, with the given argmax."""
    p = torch.zeros(len(predicted), classes)
    p[torch.arange(len(predicted)), (predicted + 1) % classes] = uncertainty
    p[torch.arange(len(predicted)), predicted] = 1 - uncertainty
    return p


@pytest.mark.parametrize("inner", [Margin(), BADGE(), BALD(draws=4), BatchBALD(draws=4, samples=50)])
def test_a_subsample_of_everything_is_the_inner_strategy(inner: Strategy) -> None:
    tensors = tensors_for(inner, 30)
    whole = inner.select(view_of(inner, tensors), 3, rng()).ids
    assert torch.equal(Subsample(inner, 30).select(view_of(inner, tensors), 3, rng()).ids, whole)


@pytest.mark.parametrize(("n", "seen"), [(3, 10), (20, 20)])
def test_a_subsample_computes_only_what_it_sees(n: int, seen: int) -> None:
    strategy, asked = Subsample(Margin(), 10), []
    p = two_class(torch.rand(100, generator=rng()) / 2, torch.zeros(100, dtype=torch.int64))

    def fetch(needs: tuple[Need, ...], sets: Mapping[Over, torch.Tensor]) -> dict[Need, torch.Tensor]:
        asked.append(sets["candidates"])
        return {PROBS: p[sets["candidates"]]}

    chosen = strategy.select(View(torch.arange(100), strategy.needs, fetch), n, rng()).ids
    assert [len(ids) for ids in asked] == [seen]
    assert set(chosen.tolist()) <= set(asked[0].tolist())


def test_a_subsample_is_uniform() -> None:
    strategy = Subsample(Margin(), 1)
    view = view_of(strategy, {PROBS: torch.full((5, 2), 0.5)})
    counts = Counter(int(strategy.select(view, 1, rng(seed)).ids) for seed in range(500))
    assert len(counts) == 5
    assert min(counts.values()) > 70


def test_stochastic_keeps_the_score_underneath() -> None:
    p = two_class(torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.zeros(4, dtype=torch.int64), 2)
    strategy = Stochastic(Entropy(), beta=2.0)
    batch = strategy.select(view_of(strategy, {PROBS: p}), 4, rng(5))
    plain = Entropy().scores(view_of(Entropy(), {PROBS: p}))
    assert torch.equal(batch.scores, plain[batch.ids // 10])


def test_power_bald_with_large_beta_takes_the_best() -> None:
    strategy = Stochastic(BALD(draws=4), beta=1e9)
    tensors = tensors_for(strategy, 40)
    best = BALD(draws=4).select(view_of(strategy, tensors), 5, rng()).ids
    assert torch.equal(strategy.select(view_of(strategy, tensors), 5, rng()).ids, best)


def test_power_bald_draws_in_proportion_to_the_score() -> None:
    p = two_class(torch.tensor([0.05, 0.15, 0.20, 0.10]), torch.zeros(4, dtype=torch.int64))
    strategy = Stochastic(Margin())
    view = view_of(strategy, {PROBS: p})
    counts = Counter(int(strategy.select(view, 1, rng(seed)).ids) for seed in range(1500))
    for item, share in ((0, 0.1), (10, 0.3), (20, 0.4), (30, 0.2)):
        assert counts[item] / 1500 == pytest.approx(share, abs=0.05)


def test_class_balance_levels_the_counts() -> None:
    predicted = torch.arange(30) % 3
    uncertainty = torch.arange(30) / 100
    labels = torch.tensor([0] * 8 + [1] * 2)
    strategy = ClassBalance(Margin())
    view = view_of(strategy, {PROBS: two_class(uncertainty, predicted), LABELS: labels}, labelled=10)
    batch = strategy.select(view, 6, rng())
    rows = batch.ids // 10
    assert Counter(predicted[rows].tolist()) == {1: 2, 2: 4}
    assert set(rows.tolist()) == {29, 26, 23, 20, 28, 25}
    assert batch.scores.tolist() == sorted(batch.scores.tolist(), reverse=True)


def test_class_balance_with_shares() -> None:
    strategy = ClassBalance(Margin(), shares=(0.5, 0.25, 0.25))
    predicted = torch.arange(30) % 3
    tensors = {PROBS: two_class(torch.rand(30, generator=rng()) / 2, predicted), LABELS: torch.zeros(0)}
    rows = strategy.select(view_of(strategy, tensors), 8, rng()).ids // 10
    assert Counter(predicted[rows].tolist()) == {0: 4, 1: 2, 2: 2}


def test_class_balance_of_one_predicted_class_is_the_inner_strategy() -> None:
    p = two_class(torch.randint(5, (40,), generator=rng()) / 10, torch.ones(40, dtype=torch.int64))
    strategy = ClassBalance(Margin())
    view = view_of(strategy, {PROBS: p, LABELS: torch.tensor([0, 1, 2])}, labelled=3)
    inner = Margin().select(view_of(Margin(), {PROBS: p}), 9, rng()).ids
    assert torch.equal(strategy.select(view, 9, rng()).ids, inner)


def test_wrappers_nest_and_parse() -> None:
    text = "subsample(strategy=stochastic(strategy=bald(draws=4), kind=softmax, beta=2.0), size=12)"
    strategy = parse("strategies", text)
    assert strategy == parse("strategies", text.replace("softmax", "'softmax'"))
    assert strategy == Subsample(Stochastic(BALD(4), "softmax", 2.0), 12)
    assert len(strategy.select(view_of(strategy, tensors_for(strategy, 40)), 5, rng()).ids) == 5


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"^stochastic needs a strategy that scores every candidate, got BADGE\("):
        Stochastic(BADGE())  # type: ignore[arg-type]  # the wrong kind is the point
    with pytest.raises(InputError, match=r"^class_balance needs a strategy that scores every candidate, got BADGE\("):
        ClassBalance(BADGE())  # type: ignore[arg-type]  # the wrong kind is the point
    with pytest.raises(UnknownName, match=r"^unknown kind of noise 'soft'"):
        Stochastic(Margin(), kind="soft")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(InputError, match=r"^beta is -1\.0: it must be above 0$"):
        Stochastic(Margin(), beta=-1.0)
    with pytest.raises(InputError, match=r"^size of a subsample is 0: it must be at least 1$"):
        Subsample(Margin(), 0)
    with pytest.raises(InputError, match=r"^shares are \(1\.0, -1\.0\): none may be below 0$"):
        ClassBalance(Margin(), shares=(1.0, -1.0))
    strategy = ClassBalance(Margin(), shares=(0.5, 0.5))
    with pytest.raises(BadShape, match=r"^3 counts, 3 available and 2 shares: one per class$"):
        strategy.select(view_of(strategy, tensors_for(strategy, 9), labelled=5), 2, rng())
