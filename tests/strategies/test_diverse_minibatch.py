"""Diverse mini-batch by weighted k-means."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import blobs, probs
from strategy_views import rng, tensors_for, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING, PROBS
from askwell.errors import InputError
from askwell.functional.cluster import kmeans
from askwell.functional.prototypes import innermost, representatives
from askwell.functional.uncertainty import margin
from askwell.strategies import DiverseMinibatch, Margin


def binary(doubt: Tensor) -> Tensor:
    """Two-class probabilities with these margins' complements."""
    return torch.stack([1 - doubt / 2, doubt / 2], 1)


def picks(strategy: DiverseMinibatch, p: Tensor, z: Tensor, n: int, seed: int = 0) -> list[int]:
    return strategy.select(view_of(strategy, {PROBS: p, EMBEDDING: z}, torch.arange(len(p))), n, rng(seed)).ids.tolist()


@pytest.mark.parametrize(("weighted", "wanted"), [(True, [0]), (False, [1])])
def test_a_weight_draws_the_centre_to_itself(weighted: bool, wanted: list[int]) -> None:
    p, z = binary(torch.tensor([0.8, 0.1, 0.1])), torch.tensor([[0.0], [1.0], [2.0]])
    assert picks(DiverseMinibatch(weighted=weighted), p, z, 1) == wanted


def test_weighted_centroids_of_the_card() -> None:
    line, weights = torch.tensor([[0.0], [1.0], [10.0], [11.0]]), torch.tensor([1.0, 3.0, 1.0, 1.0])
    cluster, centroids = kmeans(line, 2, rng(), weights)
    assert sorted(centroids[:, 0].tolist()) == pytest.approx([0.75, 10.5])
    assert line[innermost(line, cluster, centroids, torch.arange(4)), 0].sort().values.tolist() == [1.0, 10.0]


@pytest.mark.parametrize(("weights", "centre"), [(torch.tensor([8.0, 1.0, 1.0]), 0.3), (None, 1.0)])
def test_a_centroid_is_a_weighted_mean(weights: Tensor | None, centre: float) -> None:
    assert kmeans(torch.tensor([[0.0], [1.0], [2.0]]), 1, rng(), weights)[1].item() == pytest.approx(centre)


def test_scaling_the_weights_changes_nothing() -> None:
    z, weights = blobs(3), torch.rand(48, generator=rng(4))
    assert torch.equal(representatives(z, 7, rng(), weights), representatives(z, 7, rng(), 4 * weights))


def test_equally_near_rows_are_drawn_evenly() -> None:
    pair = torch.tensor([[0.0], [1.0]])
    drawn = [int(representatives(pair, 1, rng(seed))) for seed in range(200)]
    assert 70 < sum(drawn) < 130


@pytest.mark.parametrize("rows", ["all different", "all equal"])
def test_beta_1_is_margin(rows: str) -> None:
    tensors = tensors_for(DiverseMinibatch(), 40, classes=4)
    z = tensors[EMBEDDING] if rows == "all different" else torch.ones(40, 3)
    top = Margin().select(view_of(Margin(), {PROBS: tensors[PROBS]}, torch.arange(40)), 9, rng()).ids
    assert set(picks(DiverseMinibatch(beta=1), tensors[PROBS], z, 9)) == set(top.tolist())


def test_only_the_least_decided_take_part_and_scores_are_theirs() -> None:
    p, z = probs(1, 60, 3), torch.randn(60, 4, generator=rng())
    strategy = DiverseMinibatch(beta=3)
    batch = strategy.select(view_of(strategy, {PROBS: p, EMBEDDING: z}, torch.arange(60)), 5, rng())
    doubt = margin(p).float()
    assert set(batch.ids.tolist()) <= set(doubt.topk(15).indices.tolist())
    assert torch.equal(batch.scores, doubt[batch.ids])


def test_empty_clusters_are_filled_with_the_least_decided_others() -> None:
    doubt = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    z = torch.tensor([[0.0], [0.0], [0.0], [5.0], [5.0], [5.0]])
    chosen = {frozenset(picks(DiverseMinibatch(beta=1.25), binary(doubt), z, 4, seed)) for seed in range(20)}
    assert chosen == {frozenset({0, 1, 2, 3}), frozenset({0, 1, 2, 4})}


def test_all_take_part_where_beta_has_no_end() -> None:
    z = torch.tensor([[0.0], [0.0], [0.0], [9.0]])
    assert 3 in picks(DiverseMinibatch(beta=float("inf")), binary(torch.tensor([0.9, 0.8, 0.7, 0.1])), z, 2)


def test_items_that_are_sure_still_count() -> None:
    assert sorted(picks(DiverseMinibatch(), torch.eye(2).repeat(3, 1), torch.arange(6.0)[:, None], 6)) == list(range(6))


@pytest.mark.parametrize("beta", [0.5, float("nan")])
def test_refuses_to_cluster_fewer_than_wanted(beta: float) -> None:
    with pytest.raises(InputError, match=rf"^beta is {beta}: it must be at least 1$"):
        DiverseMinibatch(beta=beta)


@pytest.mark.parametrize(
    ("seed", "theirs"), [(0, [4, 20, 26, 36]), (1, [2, 22, 28, 36]), (2, [1, 22, 25, 43])], ids=["0", "1", "2"]
)
def test_diverse_minibatch_agrees_with_falcun_repository(seed: int, theirs: list[int]) -> None:
    """`ZhdanovWeightedKMeans` of sobermeier/falcun at e257662, with one seed for k-means: 200 of 200 pools.

    What it returns are places among the prefiltered items; mapped back to the pool, as it logs them, they are these.
    """
    assert sorted(picks(DiverseMinibatch(beta=10), probs(seed + 10, 48, 3), blobs(seed), 4)) == theirs


def test_defaults_are_those_of_the_card() -> None:
    assert DiverseMinibatch() == DiverseMinibatch(beta=10, weighted=True)
