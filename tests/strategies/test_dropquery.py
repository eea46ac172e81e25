"""DropQuery: dropout on what the last layer reads."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING, HEAD
from askwell.core.view import Batch
from askwell.errors import InputError
from askwell.functional.flips import dropout_flips
from askwell.functional.prototypes import representatives
from askwell.strategies import Dropquery


def same(z: Tensor) -> Tensor:
    return z


def choose(strategy: Dropquery, z: Tensor, n: int, seed: int = 0) -> Batch:
    return strategy.select(view_of(strategy, {EMBEDDING: z, HEAD: same}, torch.arange(len(z))), n, rng(seed))


@pytest.mark.parametrize(("rate", "each", "twice"), [(0.75, 0.1875, 0.092285), (0.5, 0.25, 0.15625)])
def test_flips_of_the_card(rate: float, each: float, twice: float) -> None:
    flips = dropout_flips(torch.tensor([[2.0, 1.0]]).repeat(40_000, 1), same, rate, 3, rng())
    assert float(flips.double().mean() / 3) == pytest.approx(each, abs=0.006)
    assert float((flips >= 2).double().mean()) == pytest.approx(twice, abs=0.006)


def test_what_is_left_is_scaled_up() -> None:
    """With a bias of (0, 3), (2, 1) is of class 1; (8, 0) and (8, 4) are of class 0."""
    z = torch.tensor([[2.0, 1.0]]).repeat(20_000, 1)
    flips = dropout_flips(z, lambda z: z + torch.tensor([0.0, 3.0]), 0.75, 1, rng())
    assert float(flips.double().mean()) == pytest.approx(0.25, abs=0.015)


def test_no_rate_no_flip_and_draws_are_counted() -> None:
    z = draws(0, 50, 4)
    assert int(dropout_flips(z, same, 0.0, 5, rng()).sum()) == 0
    assert dropout_flips(z, same, 0.5, 5, rng()).max() <= 5


def test_candidates_of_the_card() -> None:
    flips = torch.tensor([3, 0, 2, 1, 2, 0] * 60)
    of = torch.arange(len(flips))
    for n in (1, 2, 7):
        assert torch.equal(Dropquery().candidates(flips, n), of[torch.isin(of % 6, torch.tensor([0, 2, 4]))])
    assert torch.equal(Dropquery().candidates(flips, 8), flips.nonzero()[:, 0])


def test_25_candidates_per_item_are_enough() -> None:
    for plenty, wanted in ((25, 25), (24, 30)):
        flips = torch.tensor([2] * plenty + [1] * (30 - plenty) + [0] * 9)
        assert len(Dropquery().candidates(flips, 1)) == wanted


def test_the_middles_of_the_card() -> None:
    line = torch.tensor([[0.0], [0.3], [0.4], [5.0]])
    assert sorted(representatives(line, 2, rng()).tolist()) == [1, 3]


def test_asks_among_the_candidates_for_the_middle_of_each_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = torch.tensor([0.0, 0.3, 0.4, 1.5, 0.1])
    z = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([[1.0], [5.0], [2.0], [9.0], [1.0]])
    counts = torch.tensor([3, 3, 3, 3, 0])
    monkeypatch.setattr("askwell.strategies.dropquery.dropout_flips", lambda *_: counts)
    batch = choose(Dropquery(), z, 2)
    assert sorted(batch.ids.tolist()) == [1, 3]
    assert batch.scores.tolist() == [3.0, 3.0]


def test_too_few_candidates_are_all_asked_and_filled_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.strategies.dropquery.dropout_flips", lambda *_: torch.tensor([0, 3, 0, 0, 1]))
    chosen = [choose(Dropquery(), draws(0, 5, 2), 3, seed).ids.tolist() for seed in range(60)]
    assert all(set(rows[:2]) == {1, 4} for rows in chosen)
    assert {rows[2] for rows in chosen} == {0, 2, 3}


def test_equal_candidates_are_asked_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.strategies.dropquery.dropout_flips", lambda *_: torch.tensor([0, 3, 0, 3, 3, 3]))
    chosen = {frozenset(choose(Dropquery(), torch.ones(6, 2), 3, seed).ids.tolist()) for seed in range(60)}
    assert chosen == {frozenset({1, 3, 4, 5} - {left}) for left in (1, 3, 4, 5)}


def test_nothing_flips_and_any_are_asked() -> None:
    chosen = {frozenset(choose(Dropquery(rate=0.0), draws(0, 4, 3), 2, seed).ids.tolist()) for seed in range(60)}
    assert len(chosen) == 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"draws": 0}, "draws are 0: there must be at least 1"),
        ({"rate": 1.0}, "rate is 1.0: it must be at least 0 and below 1"),
        ({"rate": -0.1}, "rate is -0.1: it must be at least 0 and below 1"),
    ],
)
def test_refuses(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Dropquery(**wrong)  # type: ignore[arg-type]  # wrong values are the point
    assert str(refusal.value) == message


THEIRS = [
    [2, 3, 4, 5, 7, 9, 10, 12, 13, 14, 17, 18, 19, 20, 23, 24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
     41, 42, 43, 44, 45, 46, 47, 48, 50, 51, 52, 54, 55, 57, 58, 59],
    [0, 4, 6, 7, 8, 9, 11, 15, 18, 19, 20, 21, 22, 23, 25, 34, 35, 36, 37, 38, 39, 40, 44, 45, 46, 48, 50, 51, 53, 56,
     58, 59],
    [7, 8, 10, 17, 20, 22, 26, 30, 41, 42, 43, 48],
]  # fmt: skip


@pytest.mark.parametrize(("seed", "draws", "rate", "n"), [(0, 3, 0.3, 1), (1, 5, 0.4, 1), (2, 3, 0.05, 2)])
def test_dropquery_agrees_with_its_repository(seed: int, draws: int, rate: float, n: int) -> None:
    """`Dropout._get_candidates` of sanketx/AL-foundation-models at aa015d2: 200 of 200 pools.

    With the same flips and one seed for k-means, enough flips and no bias in the head, the picks are those of
    `DropQuery` of scikit-activeml 1.0.1 in 300 of 300 pools.
    """
    flips = (torch.rand(draws, 60, generator=rng(seed)) < rate).sum(0)
    assert Dropquery(draws=draws).candidates(flips, n).tolist() == THEIRS[seed]


def test_defaults_are_those_of_the_card() -> None:
    assert Dropquery() == Dropquery(draws=3, rate=0.75)
