"""Farthest-first traversal: the fast walk picks what the plain one picks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape, PoolExhausted
from askwell.functional import cover, distance
from askwell.functional.cover import k_center, k_center_beside
from askwell.functional.distance import Points

LINE = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [10.0]])


def plain(z: Tensor, n: int, key: Tensor, centres: Tensor) -> tuple[list[int], list[float], float]:
    """One pass over all rows per pick, in differences."""
    z, nearest, picks, found = z.double(), torch.full((len(z),), torch.inf).double(), [], []
    for centre in centres.double():
        nearest = torch.minimum(nearest, (z - centre).norm(dim=1))
    for _ in range(n):
        free = [row for row in range(len(z)) if row not in picks]
        row = max(free, key=lambda i: (float(nearest[i]), -int(key[i])))
        picks.append(row)
        found.append(float(nearest[row]))
        nearest = torch.minimum(nearest, (z - z[row]).norm(dim=1))
    if not len(centres):
        found[0] = float((z - z[picks[0]]).norm(dim=1).max())
    return picks, found, float(nearest.max())


def test_worked_numbers() -> None:
    pool = Points(LINE[1:])
    labelled = pool.beside(LINE[:1])
    one = k_center(pool, 1, torch.arange(5), labelled)
    two = k_center(pool, 2, torch.arange(5), labelled)
    assert (one.rows.tolist(), one.radius) == ([4], 4.0)
    assert (two.rows.tolist(), two.distances.tolist(), two.radius) == ([4, 3], [10.0, 4.0], 2.0)


def test_a_copy_of_a_pick_comes_last() -> None:
    z = torch.tensor([[10.0], [10.0], [3.0], [4.0]])
    pool = Points(z)
    found = k_center(pool, 4, torch.arange(4), pool.beside(LINE[:1]))
    assert found.rows.tolist() == [0, 3, 2, 1]
    assert found.distances.tolist() == [10.0, 4.0, 1.0, 0.0]
    assert found.radius == 0.0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_grids_with_ties_and_copies_give_the_plain_picks(data: st.DataObject) -> None:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 10**6)))
    size, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 4))
    z = torch.randint(-3, 4, (size, width), generator=generator).float()
    n, labelled = data.draw(st.integers(1, size)), data.draw(st.integers(0, 4))
    key = torch.randperm(size, generator=generator)
    centres = torch.randint(-3, 4, (labelled, width), generator=generator).float()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cover, "FRESH", data.draw(st.integers(1, 12)))
        patch.setattr(distance, "NEAR_ZERO", 2.0)
        pool = Points(z)
        found = k_center(pool, n, key, pool.beside(centres))
    picks, distances, radius = plain(z, n, key, centres)
    assert found.rows.tolist() == picks
    assert found.distances.tolist() == pytest.approx(distances, abs=1e-6)
    assert found.radius == pytest.approx(radius, abs=1e-6)


def test_many_blocks_give_the_plain_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "FRESH", 64)
    z = torch.randn(3000, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = k_center(Points(z), 200, torch.arange(3000))
    picks, distances, radius = plain(z, 200, torch.arange(3000), z[:0])
    assert found.rows.tolist() == picks
    assert_close(found.distances, torch.tensor(distances, dtype=torch.float64))
    assert found.radius == pytest.approx(radius)


def test_identical_rows_go_by_key_in_linear_time() -> None:
    key = torch.randperm(20_000, generator=torch.Generator().manual_seed(0))
    found = k_center(Points(torch.full((20_000, 3), 0.1)), 20_000, key)
    assert torch.equal(found.rows, key.argsort())
    assert (found.distances == 0).all()
    assert found.radius == 0


def test_radius_never_grows_and_twice_the_optimum_is_kept() -> None:
    z = torch.randn(12, 2, generator=torch.Generator().manual_seed(1))
    gaps = torch.cdist(z.double(), z.double())
    radii = [k_center(Points(z), n, torch.arange(12)).radius for n in range(1, 6)]
    assert radii == sorted(radii, reverse=True)
    best = min(float(gaps[:, list(pair)].amin(1).max()) for pair in torch.combinations(torch.arange(12), 2).tolist())
    assert radii[1] <= 2 * best + 1e-6


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_rotation_translation_and_scale_change_nothing(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(60, 5, generator=generator)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator)).Q
    found = k_center(Points(z), 10, torch.arange(60)).rows.tolist()
    assert k_center(Points(3 * z @ turn + 1000), 10, torch.arange(60)).rows.tolist() == found


def test_rows_of_a_pool_wide_tensor_need_no_copy() -> None:
    z = torch.randn(100, 4, generator=torch.Generator().manual_seed(2))
    among, labelled = torch.arange(0, 100, 3), torch.arange(1, 100, 7)
    wide, own = Points(z, among), Points(z[among])
    a = k_center(wide, 9, torch.arange(34), wide.beside(z, labelled))
    b = k_center(own, 9, torch.arange(34), own.beside(z[labelled]))
    assert torch.equal(a.rows, b.rows)
    assert_close(a.distances, b.distances)


def test_more_labelled_rows_than_one_block_of_centres() -> None:
    generator = torch.Generator().manual_seed(3)
    z, labelled = torch.randn(50, 3, generator=generator), torch.randn(600, 3, generator=generator)
    pool = Points(z)
    found = k_center(pool, 5, torch.arange(50), pool.beside(labelled))
    assert found.rows.tolist() == plain(z, 5, torch.arange(50), labelled)[0]


@pytest.mark.parametrize(("away", "labelled", "before"), [(0.0, 4, 3), (1000.0, 4, 3), (0.0, 0, 3), (0.0, 4, 0)])
def test_rows_picked_before_are_centres_and_no_more_picked(away: float, labelled: int, before: int) -> None:
    generator = torch.Generator().manual_seed(4)
    z = away + torch.randn(60 + labelled, 3, generator=generator).double()
    z, known = z[:60], z[60:]
    pool, rows, key = Points(z), torch.randperm(60, generator=generator)[:before], torch.arange(60)
    found = k_center_beside(pool, rows, 12, key, pool.beside(known))
    assert found.rows.tolist() == plain(z, 12, key, torch.cat([known, z[rows]]))[0]
    assert not set(found.rows.tolist()) & set(rows.tolist())


def test_of_rows_left_the_lower_key_goes_first() -> None:
    key, pool = torch.tensor([0, 3, 2, 5, 1, 4]), Points(torch.ones(6, 2))
    assert k_center_beside(pool, torch.tensor([4, 0]), 4, key, pool.beside(torch.ones(1, 2))).rows.tolist() == [
        2,
        1,
        5,
        3,
    ]


def test_half_precision() -> None:
    pool = Points(LINE[1:].half())
    assert k_center(pool, 2, torch.arange(5), pool.beside(LINE[:1].half())).rows.tolist() == [4, 3]


def test_refuses() -> None:
    with pytest.raises(PoolExhausted):
        k_center(Points(LINE), 7, torch.arange(6))
    text = r"^expected a floating-point tensor \(N, D\), got shape \(3,\) and type torch.float32$"
    with pytest.raises(BadShape, match=text):
        Points(torch.zeros(3))
