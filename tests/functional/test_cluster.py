"""k-means++ seeding by its exact law, k-means, typicality."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
import torch
from scipy.stats import chisquare
from torch import Generator, Tensor
from torch.testing import assert_close

from askwell.errors import PoolExhausted, UnknownName
from askwell.functional import cluster
from askwell.functional.cluster import kmeans, kmeans_plus_plus, nearest_to, typicality
from askwell.functional.distance import Points, Space
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.pick import top

P = torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.98, 0.01, 0.01]], dtype=torch.float64)
Z = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 4.0]], dtype=torch.float64)


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def materialised(p: Tensor, z: Tensor) -> Tensor:
    q = p - torch.nn.functional.one_hot(p.argmax(1), p.shape[1])
    return (q[:, :, None] * z[:, None]).flatten(1)


def law(vectors: Tensor, n: int, first: Tensor, weights: Tensor) -> dict[tuple[int, ...], float]:
    """Probability of each ordered choice of n rows under k-means++."""
    gaps = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist").square()
    out = {}
    for rows in permutations(range(len(vectors)), n):
        p = float(first[rows[0]] / first.sum())
        for t in range(1, n):
            potential = weights * gaps[:, list(rows[:t])].amin(1)
            p *= float(potential[rows[t]] / potential.sum())
        out[rows] = p
    return out


def follows(space: Space, expected: dict[tuple[int, ...], float], runs: int, **options: object) -> float:
    """p-value of a chi-square test of the drawn choices; rare ones are taken together."""
    generator, n = rng(11), len(next(iter(expected)))
    counts = Counter(tuple(kmeans_plus_plus(space, n, generator, **options).rows.tolist()) for _ in range(runs))
    assert all(expected[rows] > 0 for rows in counts)
    common = [rows for rows, p in expected.items() if runs * p >= 8]
    rare = 1 - sum(expected[rows] for rows in common)
    seen = [counts[rows] for rows in common]
    wanted = [runs * expected[rows] for rows in common]
    if runs * rare > 1:
        seen, wanted = [*seen, runs - sum(seen)], [*wanted, runs * rare]
    scale = sum(seen) / sum(wanted)
    return float(chisquare(seen, [value * scale for value in wanted]).pvalue)


@pytest.fixture(params=["one sample", "a refresh every second draw", "a refresh after each rejection"])
def pace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "a refresh every second draw":
        monkeypatch.setattr(cluster, "REFRESH", 2)
        monkeypatch.setattr(cluster, "PROPOSALS", 3)
    elif request.param == "a refresh after each rejection":
        monkeypatch.setattr(cluster, "PROPOSALS", 1)
        monkeypatch.setattr(cluster, "ROUNDS", 1)


@pytest.mark.usefixtures("pace")
@pytest.mark.parametrize("first", ["uniform", "norm"])
def test_gradients_are_drawn_by_the_materialised_law(first: str) -> None:
    generator = rng(5)
    p = torch.softmax(2 * torch.randn(5, 3, generator=generator, dtype=torch.float64), 1)
    z = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    full = materialised(p, z)
    start = full.square().sum(1) if first == "norm" else torch.ones(5)
    expected = law(full, 4, start, torch.ones(5))
    assert follows(Gradients(surprise(p), z), expected, 1500, first=first) > 0.001


@pytest.mark.usefixtures("pace")
def test_weighted_points_are_drawn_by_the_weighted_law() -> None:
    z = torch.tensor([[0.0], [1.0], [1.0], [4.0], [9.0]], dtype=torch.float64)
    weights = torch.tensor([1.0, 2.0, 0.5, 0.0, 1.0], dtype=torch.float64)
    assert follows(Points(z), law(z, 3, weights, weights), 1500, weights=weights) > 0.001


def test_worked_next_pick() -> None:
    g, full = Gradients(surprise(P), Z), materialised(P, Z)
    nxt = {rows[1]: p for rows, p in law(full, 2, full.square().sum(1) == 2.24, torch.ones(4)).items() if rows[0] == 2}
    assert [nxt.get(i, 0.0) for i in range(4)] == pytest.approx([0.449631, 0.212802, 0, 0.337567], abs=1e-6)
    assert {int(kmeans_plus_plus(g, 1, rng(seed), "max").rows) for seed in range(9)} == {2}


def test_scaling_the_embedding_changes_nothing() -> None:
    a = kmeans_plus_plus(Gradients(surprise(P), Z), 4, rng(), "norm").rows
    b = kmeans_plus_plus(Gradients(surprise(P), 8 * Z), 4, rng(), "norm").rows
    assert torch.equal(a, b)


def test_identical_rows_are_drawn_uniformly_and_once() -> None:
    space = Points(torch.ones(6, 3))
    runs = [kmeans_plus_plus(space, 6, rng(seed)).rows.tolist() for seed in range(200)]
    assert all(sorted(rows) == list(range(6)) for rows in runs)
    assert min(Counter(rows[1] for rows in runs).values()) > 15
    assert kmeans_plus_plus(space, 3, rng()).potentials.tolist()[1:] == [0.0, 0.0]


def test_all_gradients_nought() -> None:
    g = Gradients(surprise(torch.eye(4)), torch.ones(4, 2))
    for first in ("max", "uniform", "norm"):
        assert sorted(kmeans_plus_plus(g, 4, rng(), first).rows.tolist()) == [0, 1, 2, 3]


def test_copies_wait_until_all_else_is_drawn() -> None:
    z = torch.tensor([[0.0], [1.0], [2.0]]).repeat(10, 1)
    for seed in range(20):
        rows = kmeans_plus_plus(Points(z), 30, rng(seed)).rows
        assert len(set(z[rows[:3], 0].tolist())) == 3
        assert sorted(rows.tolist()) == list(range(30))


def test_many_draws_across_refreshes_are_distinct() -> None:
    z = torch.randn(700, 5, generator=rng())
    seeding = kmeans_plus_plus(Points(z), 400, rng())
    assert len(set(seeding.rows.tolist())) == 400
    gaps = torch.cdist(z.double(), z.double()).square()
    for t in (1, 47, 48, 49, 200, 399):
        nearest = gaps[seeding.rows[t], seeding.rows[:t]].min()
        assert float(seeding.potentials[t]) == pytest.approx(float(nearest), rel=1e-3, abs=1e-5)


def test_refuses() -> None:
    with pytest.raises(PoolExhausted):
        kmeans_plus_plus(Points(Z), 5, rng())
    with pytest.raises(UnknownName, match=r"^unknown first pick 'maxi': did you mean 'max'"):
        kmeans_plus_plus(Points(Z), 1, rng(), "maxi")  # type: ignore[arg-type]  # the wrong name is the point


def test_typicality_of_the_card() -> None:
    scores = typicality(torch.tensor([[0.0], [0.1], [0.2], [1.0]]), 2)
    assert_close(1 / scores, torch.tensor([0.15, 0.10, 0.15, 0.85]) + 1e-5, atol=1e-5, rtol=0)
    assert int(top(scores, 1, torch.arange(4))) == 1


def test_typicality_over_many_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    z = torch.randn(300, 4, generator=rng(), dtype=torch.float64)
    gaps = torch.cdist(z, z).fill_diagonal_(torch.inf)
    expected = 1 / (gaps.topk(5, largest=False).values.mean(1) + 1e-5)
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 3000)
    assert_close(typicality(z, 5), expected)


def test_typicality_of_copies_and_of_a_lone_row() -> None:
    assert_close(typicality(torch.full((5, 64), 0.3), 2), torch.full((5,), 1e5))
    assert_close(typicality(torch.ones(1, 2), 3), torch.tensor([1e5]))


def test_kmeans_finds_far_groups_and_repeats_by_seed() -> None:
    centres = 50 * torch.eye(4)
    rows = centres.repeat_interleave(20, 0) + torch.randn(80, 4, generator=rng())
    found, centroids = kmeans(rows, 4, rng(1))
    assert all(len(set(found[20 * i : 20 * i + 20].tolist())) == 1 for i in range(4))
    assert len(set(found.tolist())) == 4
    assert torch.equal(found, kmeans(rows, 4, rng(1))[0])
    assert_close(rows[nearest_to(rows, centroids)].sort(0).values.round(decimals=-1), centres.sort(0).values)


@pytest.mark.parametrize("clusters", [3, 60])
def test_kmeans_of_identical_rows_is_quiet(clusters: int) -> None:
    assert kmeans(torch.ones(70, 2), clusters, rng())[0].unique().numel() >= 1


def test_no_more_clusters_than_rows() -> None:
    assert len(kmeans(torch.eye(3), 9, rng())[1]) == 3


def test_nearest_to_over_many_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, centroids = torch.randn(50, 3, generator=rng()), torch.randn(20, 3, generator=rng(1))
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 100)
    assert torch.equal(nearest_to(rows, centroids), torch.cdist(centroids, rows).argmin(1))
