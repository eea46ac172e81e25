"""Strategies that choose a batch as a whole: the cards' worked numbers."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng, view_of
from torch.testing import assert_close

from askwell.core.needs import EMBEDDING, FEATURES, PROBS
from askwell.core.view import Sliced, View
from askwell.errors import UnknownName
from askwell.strategies import BADGE, BALD, BatchBALD, Coreset, Typiclust

P = torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.98, 0.01, 0.01]])
Z = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 4.0]])
LINE = torch.tensor([[1.0], [2.0], [3.0], [4.0], [10.0]])
HERE, LABELLED = EMBEDDING, EMBEDDING.at("labelled")
FIRST = torch.tensor([[0.99, 0.99, 0.01, 0.01], [0.99, 0.99, 0.01, 0.01], [0.95, 0.05, 0.95, 0.05]])
COPIES = torch.stack([FIRST, 1 - FIRST], 2)


def test_batch_bald_avoids_the_copy_that_bald_takes() -> None:
    joint, single = BatchBALD(draws=4), BALD(draws=4)
    batch = joint.select(view_of(joint, {joint.needs[0]: COPIES}), 2, rng())
    assert batch.ids.tolist() in ([0, 20], [10, 20])
    assert_close(batch.scores, torch.tensor([0.637146, 0.494632]), atol=1e-5, rtol=0)
    assert set(single.select(view_of(single, {single.needs[0]: COPIES}), 2, rng()).ids.tolist()) == {0, 10}


def test_batch_bald_of_one_is_bald() -> None:
    mc = torch.softmax(2 * torch.randn(40, 4, 5, generator=rng()), 2)
    joint, single = BatchBALD(draws=4), BALD(draws=4)
    one = joint.select(view_of(joint, {joint.needs[0]: mc}), 1, rng())
    other = single.select(view_of(single, {single.needs[0]: mc}), 1, rng())
    assert torch.equal(one.ids, other.ids)
    assert_close(one.scores, other.scores)


def test_coreset() -> None:
    view = view_of(Coreset(), {HERE: LINE, LABELLED: torch.zeros(1, 1)}, labelled=1)
    batch = Coreset().select(view, 2, rng())
    assert batch.ids.tolist() == [40, 30]
    assert batch.scores.tolist() == [10.0, 4.0]


def test_coreset_without_labels_starts_anywhere() -> None:
    view = view_of(Coreset(), {HERE: LINE, LABELLED: LINE[:0]})
    firsts = {int(Coreset().select(view, 2, rng(seed)).ids[0]) for seed in range(60)}
    assert firsts == {0, 10, 20, 30, 40}


def test_coreset_breaks_ties_at_random() -> None:
    ring = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    view = view_of(Coreset(), {HERE: ring, LABELLED: torch.zeros(1, 2)}, labelled=1)
    assert {int(Coreset().select(view, 1, rng(seed)).ids) for seed in range(60)} == {0, 10, 20, 30}


def test_pool_wide_tensors_are_read_in_place() -> None:
    pool, among = torch.randn(50, 3, generator=rng()), torch.arange(0, 50, 2)
    probs = torch.softmax(torch.randn(50, 4, generator=rng(1)), 1)
    wide = {HERE: Sliced(pool, among), LABELLED: Sliced(pool, torch.tensor([1, 7])), PROBS: Sliced(probs, among)}
    for strategy in (Coreset(), BADGE()):
        view = View(among, strategy.needs, lambda *_: wide, sets={"labelled": torch.tensor([1, 7])})
        own = {HERE: pool[among], LABELLED: pool[[1, 7]], PROBS: probs[among]}
        chosen = strategy.select(view, 6, rng()).ids
        assert torch.equal(chosen, strategy.select(view_of(strategy, own, among, 2), 6, rng()).ids)


def test_badge_starts_with_the_longest_gradient() -> None:
    batch = BADGE().select(view_of(BADGE(), {PROBS: P, EMBEDDING: Z}), 2, rng())
    assert int(batch.ids[0]) == 20
    assert float(batch.scores[0]) == pytest.approx(2.24, abs=1e-6)
    assert float(batch.scores[1]) == pytest.approx({0: 2.62, 10: 1.24, 30: 1.967}[int(batch.ids[1])], abs=1e-5)


def test_badge_draws_the_next_in_proportion() -> None:
    view = view_of(BADGE(), {PROBS: P, EMBEDDING: Z})
    drawn = [int(BADGE().select(view, 2, rng(seed)).ids[1]) for seed in range(1000)]
    for item, p in ((0, 0.449631), (10, 0.212802), (30, 0.337567)):
        assert drawn.count(item) / 1000 == pytest.approx(p, abs=0.05)


def test_badge_refuses_an_unknown_first_pick() -> None:
    with pytest.raises(UnknownName, match=r"^unknown first pick 'norms': did you mean 'norm'"):
        BADGE(first="norms")  # type: ignore[arg-type]  # the wrong name is the point


def groups(*sizes: int) -> torch.Tensor:
    """Tight groups in orthogonal directions."""
    noise = 0.01 * torch.randn(sum(sizes), len(sizes), generator=rng())
    return torch.eye(len(sizes)).repeat_interleave(torch.tensor(sizes), 0) + noise


def which(ids: torch.Tensor, *sizes: int) -> list[int]:
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))[ids // 10].tolist()


def of_features(strategy: Typiclust, z: torch.Tensor, labelled: torch.Tensor) -> View:
    return view_of(strategy, {FEATURES: z, FEATURES.at("labelled"): labelled}, labelled=len(labelled))


def test_typiclust_serves_large_clusters_first() -> None:
    view = of_features(Typiclust(), groups(20, 40, 30), torch.zeros(0, 3))
    assert which(Typiclust().select(view, 3, rng()).ids, 20, 40, 30) == [1, 2, 0]


def test_typiclust_serves_clusters_without_labels_first() -> None:
    z = groups(20, 40, 30)
    strategy = Typiclust(max_clusters=3)
    view = of_features(strategy, z, z[20:22])
    assert which(strategy.select(view, 3, rng()).ids, 20, 40, 30) == [2, 0, 1]


def test_typiclust_picks_the_most_typical() -> None:
    angles = torch.tensor([0.0, 0.1, 0.2, 1.0])
    z = torch.stack([angles.cos(), angles.sin()], 1)
    strategy = Typiclust(max_clusters=1, neighbours=2)
    assert strategy.select(of_features(strategy, z, z[:0]), 1, rng()).ids.tolist() == [10]


def test_typiclust_comes_round_again_and_passes_over_what_is_used_up() -> None:
    sizes = (6, 8, 7)
    strategy = Typiclust(max_clusters=3)
    chosen = strategy.select(of_features(strategy, groups(*sizes), torch.zeros(0, 3)), 21, rng()).ids
    assert which(chosen, *sizes)[:6] == [1, 2, 0, 1, 2, 0]
    assert sorted(chosen.tolist()) == list(range(0, 210, 10))


def test_typiclust_leaves_small_clusters_to_the_end() -> None:
    sizes = (3, 10, 9)
    strategy = Typiclust(max_clusters=3)
    chosen = which(strategy.select(of_features(strategy, groups(*sizes), torch.zeros(0, 3)), 22, rng()).ids, *sizes)
    assert 0 not in chosen[:19]
    assert chosen[19:] == [0, 0, 0]


def test_typiclust_looks_at_directions_only() -> None:
    z = groups(8, 9)
    strategy = Typiclust()
    a = strategy.select(of_features(strategy, z, z[:0]), 2, rng()).ids
    b = strategy.select(of_features(strategy, z * (1 + torch.arange(17.0))[:, None], z[:0]), 2, rng()).ids
    assert which(a, 8, 9) == which(b, 8, 9)
