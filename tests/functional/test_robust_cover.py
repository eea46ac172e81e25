"""The robust core-set: least radii by brute force, what the card computes, and running out of time."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Generator, Tensor

from askwell.errors import PoolExhausted
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.robust_cover import robust_cover

LINE = torch.tensor([[1.0], [2.0], [3.0], [4.0], [10.0]])


def least(z: Tensor, known: Tensor, n: int, outliers: int) -> float:
    """The least radius of all ways to pick n rows."""
    gaps = torch.cat([torch.cdist(z, z), torch.cdist(z, known)], 1)
    given = list(range(len(z), len(z) + len(known)))
    radii = [
        gaps[:, [*rows, *given]].amin(1).sort().values[len(z) - 1 - outliers] for rows in combinations(range(len(z)), n)
    ]
    return float(min(radii))


@pytest.mark.parametrize(
    ("n", "outliers", "radius", "picks"), [(1, 0, 4.0, {10}), (1, 1, 1.0, {3}), (2, 0, 1.0, {3, 10})]
)
def test_radii_of_the_card(n: int, outliers: int, radius: float, picks: set[int]) -> None:
    points = Points(LINE)
    found = robust_cover(points, n, torch.arange(5), points.beside(torch.zeros(1, 1)), outliers)
    assert (found.radius, found.proven) == (radius, True)
    assert set(LINE[found.rows, 0].tolist()) == picks


def test_greedy_is_twice_the_least_at_worst() -> None:
    """The bound is tight: greedy picks 10, then 4, and leaves 2, where 3 and 10 leave 1."""
    points = Points(LINE)
    greedy = k_center(points, 2, torch.arange(5), points.beside(torch.zeros(1, 1)))
    found = robust_cover(points, 2, torch.arange(5), points.beside(torch.zeros(1, 1)))
    assert (greedy.radius, found.radius) == (2.0, 1.0)


@pytest.mark.parametrize("seed", range(25))
def test_radii_are_those_of_brute_force(seed: int) -> None:
    """Grids with ties and copies on even seeds; 600 of 600 pools agreed when this was written."""
    generator = Generator().manual_seed(seed)
    n, labelled, outliers = 1 + seed % 3, seed % 4, seed % 5 // 2
    z, known = torch.randn(9 + labelled, 2, generator=generator).double().split([9, labelled])
    if seed % 2 == 0:
        z, known = (2 * z).round(), (2 * known).round()
    points = Points(z)
    found = robust_cover(points, n, torch.randperm(9, generator=generator), points.beside(known), outliers)
    assert found.radius == pytest.approx(least(z, known, n, outliers), abs=1e-6)
    assert found.proven
    assert len(set(found.rows.tolist())) == n
    gaps = torch.cat([torch.cdist(z, z[found.rows]), torch.cdist(z, known)], 1).amin(1).sort().values
    assert found.radius == pytest.approx(float(gaps[8 - outliers]), abs=1e-6)


def test_a_radius_shrinks_with_more_picks_and_more_outliers() -> None:
    points = Points(torch.randn(40, 2, generator=Generator().manual_seed(0)))
    key = torch.arange(40)
    by_picks = [robust_cover(points, n, key).radius for n in (1, 3, 5)]
    by_outliers = [robust_cover(points, 3, key, outliers=count).radius for count in (0, 2, 5)]
    assert by_picks == sorted(by_picks, reverse=True)
    assert by_outliers == sorted(by_outliers, reverse=True)
    assert by_outliers[0] > by_outliers[2]
    greedy = k_center(points, 3, key).radius
    assert greedy / 2 <= by_outliers[0] <= greedy


def test_picks_come_farthest_first() -> None:
    points = Points(torch.randn(30, 2, generator=Generator().manual_seed(1)))
    labelled = points.beside(torch.zeros(1, 2))
    found = robust_cover(points, 5, torch.arange(30), labelled)
    walk = k_center(points.take(found.rows), 5, torch.arange(5), labelled)
    assert walk.rows.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(walk.distances, found.distances)


def test_moving_all_rows_changes_nothing() -> None:
    """Far from the origin, where rows are held about their mean."""
    z, known = torch.randn(34, 2, generator=Generator().manual_seed(2)).double().split([30, 4])
    here, there = Points(z), Points(z + 1000)
    a = robust_cover(here, 4, torch.arange(30), here.beside(known))
    b = robust_cover(there, 4, torch.arange(30), there.beside(known + 1000))
    assert torch.equal(a.rows, b.rows)
    assert a.radius == pytest.approx(b.radius, abs=1e-6)


def test_out_of_time_the_greedy_rows_are_kept() -> None:
    points = Points(LINE)
    labelled = points.beside(torch.zeros(1, 1))
    found = robust_cover(points, 2, torch.arange(5), labelled, seconds=0.0)
    greedy = k_center(points, 2, torch.arange(5), labelled)
    assert not found.proven
    assert (found.rows.tolist(), found.radius) == (greedy.rows.tolist(), greedy.radius)


def test_copies_and_all_rows() -> None:
    same = Points(torch.ones(6, 2))
    found = robust_cover(same, 6, torch.arange(6))
    assert (sorted(found.rows.tolist()), found.radius, found.proven) == ([0, 1, 2, 3, 4, 5], 0.0, True)
    assert robust_cover(same, 2, torch.arange(6), same.beside(torch.ones(1, 2))).radius == 0.0
    with pytest.raises(PoolExhausted):
        robust_cover(same, 7, torch.arange(6))
