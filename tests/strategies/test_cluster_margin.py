"""Cluster-Margin, and the clusters that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING, PROBS
from askwell.core.view import Batch
from askwell.errors import InputError, PoolExhausted
from askwell.functional.linkage import agglomerate
from askwell.functional.pick import round_robin
from askwell.functional.uncertainty import margin
from askwell.strategies import ClusterMargin, Margin


def choose(strategy: ClusterMargin, p: Tensor, z: Tensor, n: int, state: Mapping[str, Any] | None = None) -> Batch:
    view = view_of(strategy, {PROBS: p, EMBEDDING: z}, torch.arange(len(p)))
    view.state = dict(state or {})
    return strategy.select(view, n, rng())


def test_round_robin_of_the_card() -> None:
    groups = torch.tensor([7, 7, 7, 7, 2, 2, 0])
    for seed in range(20):
        key = torch.rand(7, generator=rng(seed))
        assert groups[round_robin(groups, 5, key)].tolist() == [0, 2, 7, 2, 7]


def test_round_robin_takes_all_once_in_the_order_of_the_keys() -> None:
    groups, key = torch.tensor([1, 0, 1, 0, 1]), torch.tensor([0.5, 0.9, 0.1, 0.2, 0.3])
    assert round_robin(groups, 5, key).tolist() == [3, 2, 1, 4, 0]
    assert round_robin(torch.tensor([4, 9]), 2, torch.tensor([0.7, 0.1])).tolist() == [1, 0]
    with pytest.raises(PoolExhausted, match=r"^cannot choose 6 items from 5 candidates: ask for 1 to 5$"):
        round_robin(groups, 6, key)


def by_pairs(z: Tensor, threshold: float) -> set[frozenset[int]]:
    """Average linkage from its definition: the nearest two clusters are merged while they are near enough."""
    gaps = torch.cdist(z, z)
    clusters = [frozenset([row]) for row in range(len(z))]
    while len(clusters) > 1:
        pairs = [(float(gaps[list(a)][:, list(b)].mean()), a, b) for a in clusters for b in clusters if min(a) < min(b)]
        distance, a, b = min(pairs, key=lambda pair: pair[0])
        if distance > threshold:
            break
        clusters = [c for c in clusters if c not in (a, b)] + [a | b]
    return set(clusters)


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_those_of_average_linkage(seed: int) -> None:
    z = draws(seed, 18, 2)
    found = agglomerate(z, rng(), block=18, least=1, threshold=0.9)
    assert {frozenset((found == c).nonzero()[:, 0].tolist()) for c in found.unique()} == by_pairs(z, 0.9)


@pytest.mark.parametrize("least", [1, 2, 7, 29, 30, 50])
def test_threshold_leaves_as_few_clusters_as_are_wanted(least: int) -> None:
    assert len(agglomerate(draws(0, 30, 3), rng(), block=100, least=least).unique()) == min(least, 30)


def test_equal_distances_leave_more_clusters_than_wanted_never_fewer() -> None:
    grid = torch.arange(8.0)[:, None]
    assert len(agglomerate(grid, rng(), block=8, least=5).unique()) == 8
    assert len(agglomerate(torch.ones(6, 2), rng(), block=6, least=3).unique()) == 6


def test_blocks_are_clustered_apart() -> None:
    found = agglomerate(torch.ones(100, 2), rng(), block=30, least=1)
    assert found.unique(return_counts=True)[1].tolist() == [25, 25, 25, 25]
    assert len(agglomerate(torch.ones(3, 2), rng(), block=2, least=1).unique()) == 2
    assert agglomerate(torch.ones(1, 2), rng(), block=2, least=1).tolist() == [0]


def test_beta_1_is_margin() -> None:
    p = probs(0, 50, 3)
    top = Margin().select(view_of(Margin(), {PROBS: p}, torch.arange(50)), 8, rng()).ids
    assert set(choose(ClusterMargin(beta=1), p, draws(1, 50, 4), 8).ids.tolist()) == set(top.tolist())


def test_small_clusters_are_served_before_large_ones_are_served_twice() -> None:
    z = torch.cat([torch.zeros(30, 1), 9 + torch.zeros(2, 1), 20 + torch.zeros(1, 1)]) + 0.01 * draws(2, 33, 1)
    batch = choose(ClusterMargin(threshold=1.0), torch.full((33, 2), 0.5), z, 5)
    assert [int(z[row].round()) for row in batch.ids] == [20, 9, 0, 9, 0]


def test_as_many_take_part_as_beta_says() -> None:
    p = torch.stack([0.5 + torch.arange(6) / 20, 0.5 - torch.arange(6) / 20], 1)
    for beta, wanted in ((1.25, 2), (1.5, 2), (2, 3), (float("inf"), 5)):
        clusters = np.where(np.arange(6) == wanted, 1, 0)
        first = [choose(ClusterMargin(beta=beta), p, p, 2, {"ids": np.arange(6), "clusters": clusters}).ids[0]]
        assert first == [wanted]


def test_a_cluster_is_asked_for_a_random_item() -> None:
    p, z = probs(0, 6, 2), torch.zeros(6, 1)
    view = view_of(ClusterMargin(), {PROBS: p, EMBEDDING: z}, torch.arange(6))
    view.state = {"ids": np.arange(6), "clusters": np.zeros(6, dtype=np.int64)}
    assert {int(ClusterMargin().select(view, 1, rng(seed)).ids) for seed in range(80)} == set(range(6))


def test_there_are_clusters_for_each_item_of_the_first_batch() -> None:
    batch = choose(ClusterMargin(clusters=4), probs(0, 60, 3), draws(1, 60, 2), 3)
    assert batch.state is not None
    assert len(batch.state["clusters"].unique()) == 12


def test_the_first_batch_keeps_its_clusters_and_later_ones_use_them() -> None:
    p, z = probs(3, 40, 3), draws(4, 40, 2)
    first = choose(ClusterMargin(threshold=1.0), p, z, 4)
    assert first.state is not None
    state = {name: np.asarray(value) for name, value in first.state.items()}
    assert set(state) == {"ids", "clusters"}
    left = torch.arange(10, 40)
    view = view_of(ClusterMargin(), {PROBS: p[10:], EMBEDDING: 1e3 * draws(5, 30, 2)}, left)
    view.state = state
    again = ClusterMargin(beta=30).select(view, 30, rng())
    clusters = torch.as_tensor(state["clusters"])[10:]
    sizes = clusters.bincount()
    assert again.state is None
    assert sizes[clusters[again.ids[: len(clusters.unique())] - 10]].tolist() == sorted(sizes[sizes > 0].tolist())


def test_items_in_no_cluster_make_clusters_anew() -> None:
    old = {"ids": np.arange(5), "clusters": np.zeros(5, dtype=np.int64)}
    batch = choose(ClusterMargin(), probs(0, 9, 3), draws(0, 9, 2), 2, old)
    assert batch.state is not None
    assert batch.state["ids"].tolist() == list(range(9))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beta": 0.5}, "beta is 0.5: it must be at least 1"),
        ({"clusters": 0}, "clusters is 0: it must be at least 1"),
        ({"block": 1}, "block is 1: it must be at least 2"),
    ],
)
def test_refuses(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        ClusterMargin(**wrong)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("seed", "theirs"),
    [
        (0, [0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 2]),
        (1, [0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 1]),
        (2, [0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 3]),
    ],
    ids=["0", "1", "2"],
)
def test_cluster_margin_agrees_with_galaxy_repository(seed: int, theirs: list[int]) -> None:
    """The loop of src/cluster_margin of jifanz/GALAXY at 3323af8: sizes of the clusters served, 200 of 200 pools.

    It takes the least decided item of a cluster; the paper a random one. Clusters of one size it serves in any order.
    The tree itself agrees with `AgglomerativeClustering` of scikit-learn 1.9.1 on 200 of 200 pools.
    """
    p, order = probs(seed, 40, 3), torch.randperm(40, generator=rng(seed + 10))
    cluster = torch.tensor([0] * 3 + [1] * 7 + [2] * 12 + [3] * 18)[order]
    state = {"ids": np.arange(40), "clusters": cluster.numpy()}
    batch = choose(ClusterMargin(beta=2), p, torch.zeros(40, 1), 12, state)
    size = cluster[margin(p).topk(24).indices].bincount()
    assert size[cluster[batch.ids]].tolist() == size[torch.tensor(theirs)].tolist()


def test_defaults_are_those_of_the_card() -> None:
    assert ClusterMargin() == ClusterMargin(beta=10, threshold=None, clusters=10)
