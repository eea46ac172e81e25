"""Facility location: the lazy walk picks what the plain greedy one picks."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import PoolExhausted
from askwell.functional import submodular
from askwell.functional.distance import Points
from askwell.functional.kernels import Ball, Cosine, Gaussian, Kernel, highest, unit
from askwell.functional.pick import top
from askwell.functional.purity import nearest_other, pure_radius
from askwell.functional.submodular import facility_location

LINE = torch.tensor([[0.0], [0.1], [0.2], [1.0], [1.1], [3.0]])


def matrix(kernel: Kernel, z: Points, reference: Points) -> Tensor:
    """(N, R) similarities."""
    return kernel(reference, z.take(torch.arange(len(z))), slice(None))


def value(alike: Tensor, rows: list[int], weights: Tensor, floor: Tensor, cap: Tensor, bonus: Tensor) -> float:
    """What the rows are worth, from its definition."""
    best = alike[rows].amax(0) if rows else torch.zeros_like(floor)
    covered = (torch.minimum(best, cap) - floor).clamp(min=0)
    return float((weights * covered).sum() + bonus[rows].sum())


def greedy(alike: Tensor, n: int, key: Tensor, *terms: Tensor) -> tuple[list[int], list[float]]:
    """All rows tried anew for every pick."""
    picks: list[int] = []
    gains: list[float] = []
    for _ in range(n):
        now = value(alike, picks, *terms)
        tried = [value(alike, [*picks, row], *terms) - now for row in range(len(alike))]
        found = torch.tensor(tried).round(decimals=5).index_fill(0, torch.tensor(picks, dtype=torch.int64), -1.0)
        picks.append(int(top(found, 1, key)))
        gains.append(tried[picks[-1]])
    return picks, gains


def test_top_hat_of_the_card() -> None:
    found = facility_location(Points(LINE), 4, torch.arange(6), Ball(0.15))
    assert found.rows.tolist()[:3] == [1, 3, 5]
    assert_close(found.gains / 6, torch.tensor([0.5, 1 / 3, 1 / 6, 0.0]))


def test_herding_of_the_card() -> None:
    found = facility_location(Points(LINE), 3, torch.arange(6), Gaussian(0.5))
    assert found.rows.tolist() == [1, 4, 5]
    assert_close(found.gains / 6, torch.tensor([0.496510, 0.317218, 0.166667]), rtol=0, atol=1e-6)


def test_weights_of_the_card() -> None:
    weights = torch.tensor([0.1] * 5 + [1.0])
    assert facility_location(Points(LINE), 3, torch.arange(6), Gaussian(0.5), weights=weights).rows.tolist() == [
        5,
        1,
        3,
    ]


def test_constant_weights_are_no_weights() -> None:
    z = unit(torch.randn(80, 3, generator=torch.Generator().manual_seed(0)).double())
    plain = facility_location(z, 10, torch.arange(80), Gaussian(0.7))
    assert torch.equal(
        facility_location(z, 10, torch.arange(80), Gaussian(0.7), weights=torch.full((80,), 0.25)).rows, plain.rows
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_lazy_is_greedy(data: st.DataObject) -> None:
    """On grids with ties and copies, with weights, floors, caps, bonuses, and rows to cover that are not the pool's."""
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 10**6)))
    size, other, n = data.draw(st.integers(1, 14)), data.draw(st.integers(1, 9)), 0
    z = torch.randint(-2, 3, (size, 2), generator=generator).double()
    space = Points(z, origin=torch.zeros(2).double())
    own = data.draw(st.booleans())
    reference = space if own else space.beside(torch.randint(-2, 3, (other, 2), generator=generator).double())
    kernel: Kernel = data.draw(st.sampled_from([Ball(1.5), Gaussian(1.3)]))
    n, key = data.draw(st.integers(1, size)), torch.randperm(size, generator=generator)
    count = len(reference)
    weights, floor, cap = (torch.rand(count, generator=generator).double() for _ in range(3))
    bonus = torch.randint(0, 3, (size,), generator=generator).double() / 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submodular, "FEW", data.draw(st.integers(1, 6)))
        patch.setattr(submodular, "MANY", data.draw(st.integers(1, 6)))
        patch.setattr("askwell.functional.tiles.CPU_ELEMENTS", data.draw(st.integers(4, 60)))
        found = facility_location(
            space, n, key, kernel, None if own else reference, weights=weights, floor=floor, cap=cap, bonus=bonus
        )
    alike = matrix(kernel, space, reference)
    now: list[int] = []
    for row, gain in zip(found.rows.tolist(), found.gains.tolist(), strict=True):
        before = value(alike, now, weights, floor, cap, bonus)
        tried = [value(alike, [*now, r], weights, floor, cap, bonus) - before for r in range(size) if r not in now]
        assert gain == pytest.approx(max(tried), abs=1e-9)
        assert value(alike, [*now, row], weights, floor, cap, bonus) - before == pytest.approx(gain, abs=1e-9)
        now.append(row)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_of_equal_gains_the_lower_key_goes_first(seed: int, few: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = Points(torch.randint(0, 4, (15, 2), generator=generator).double())
    key = torch.randperm(15, generator=generator)
    terms = torch.ones(15), torch.zeros(15), torch.ones(15), torch.zeros(15)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submodular, "FEW", few)
        found = facility_location(z, 15, key, Ball(1.2))
    assert found.rows.tolist() == greedy(matrix(Ball(1.2), z, z), 15, key, *terms)[0]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_monotone_and_near_the_best(seed: int) -> None:
    z = unit(torch.randn(11, 3, generator=torch.Generator().manual_seed(seed)).double())
    alike = matrix(Cosine(), z, z)
    found = facility_location(z, 11, torch.arange(11), Cosine())
    assert (found.gains >= 0).all()
    assert (found.gains.diff() <= 1e-12).all()
    best = max(float(alike[list(rows)].amax(0).sum()) for rows in combinations(range(11), 3))
    assert best >= float(found.gains[:3].sum()) >= (1 - 1 / torch.e) * best


def test_copies_of_what_is_covered_cost_linear_time() -> None:
    key = torch.randperm(3000, generator=torch.Generator().manual_seed(0))
    found = facility_location(unit(torch.full((3000, 3), 0.7)), 3000, key, Gaussian(1.0))
    assert torch.equal(found.rows, key.argsort())
    assert found.gains[0] == 3000
    assert (found.gains[1:] == 0).all()


def test_few_rows_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    refresh = submodular._Walk._refresh
    monkeypatch.setattr(submodular._Walk, "_refresh", lambda walk, rows: (seen.append(len(rows)), refresh(walk, rows)))
    z = unit(torch.randn(3000, 8, generator=torch.Generator().manual_seed(0)))
    facility_location(
        z, 30, torch.arange(3000), Gaussian(0.3), floor=highest(Gaussian(0.3), z, z.take(torch.arange(9)))
    )
    assert seen[0] == 3000
    assert sum(seen[1:]) < 30 * 300


def test_refuses() -> None:
    with pytest.raises(PoolExhausted, match=r"^cannot choose 7 items from 6 candidates: ask for 1 to 6$"):
        facility_location(Points(LINE), 7, torch.arange(6), Ball(1.0))


@pytest.mark.parametrize("seed", range(4))
def test_nearest_other_is_the_plain_minimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.purity.CENTRES", 7)
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 60)
    generator = torch.Generator().manual_seed(seed)
    z, kinds = torch.randn(50, 3, generator=generator).double(), torch.randint(0, 3, (50,), generator=generator)
    gaps = torch.cdist(z, z).masked_fill(kinds[:, None] == kinds, torch.inf)
    assert_close(nearest_other(Points(z), kinds), gaps.amin(0))


@pytest.mark.parametrize("purity", [0.5, 0.9, 0.95, 1.0])
def test_a_pure_radius_is_the_largest(purity: float) -> None:
    generator = torch.Generator().manual_seed(1)
    z, kinds = torch.randn(100, 2, generator=generator).double(), torch.randint(0, 2, (100,), generator=generator)
    gaps, radius = torch.cdist(z, z), pure_radius(Points(z), kinds, purity)

    def share(delta: float) -> float:
        return float((~((gaps < delta) & (kinds[:, None] != kinds)).any(1)).double().mean())

    assert share(radius) >= purity
    assert share(radius * (1 + 1e-5)) < purity


def test_one_kind_is_pure_at_any_radius() -> None:
    assert pure_radius(Points(LINE), torch.zeros(6, dtype=torch.int64)) == torch.inf
