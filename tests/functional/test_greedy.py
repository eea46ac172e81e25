"""Greedy sampling: the fast walk over products of distances picks what the formula says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.functional import Points, Product, central, cover, k_center

LINE = torch.tensor([[0.0], [1.0], [2.0], [4.0], [7.0]])


def plain(x: Tensor, y: Tensor, n: int, known: tuple[Tensor, Tensor]) -> tuple[list[int], list[float]]:
    """argmax over items of min over known ones of d_x · d_y, one by one, in differences; a pick becomes known."""
    x_known, y_known, picks, found = known[0].double(), known[1].double(), [], []
    for _ in range(n):
        gaps = (x[:, None] - x_known).norm(dim=2) * (y[:, None] - y_known).norm(dim=2)
        gaps = gaps.amin(1).index_fill(0, torch.tensor(picks, dtype=torch.int64), -1.0)
        picks.append(int(gaps.argmax()))
        found.append(float(gaps.max()))
        x_known, y_known = torch.cat([x_known, x[picks[-1:]]]), torch.cat([y_known, y[picks[-1:]]])
    return picks, found


def both(x: Tensor, y: Tensor, x_known: Tensor, y_known: Tensor) -> tuple[Product, Product]:
    inputs, outputs = Points(x), Points(y)
    return Product(inputs, outputs), Product(inputs.beside(x_known), outputs.beside(y_known))


def test_products_on_a_line() -> None:
    """Known: x = 0 with y = 0, and x = 4 with y = 8; the products to each, and the smaller one."""
    y = torch.tensor([[1.0], [5.0], [0.0], [9.0], [4.0]])
    pool, known = both(LINE, y, torch.tensor([[0.0], [4.0]]), torch.tensor([[0.0], [8.0]]))
    assert pool.squared(known).sqrt().tolist() == [[0.0, 5.0, 0.0, 36.0, 28.0], [28.0, 9.0, 16.0, 0.0, 12.0]]
    bounds = torch.full((5,), torch.inf)
    pool.lower(bounds, known)
    assert bounds.sqrt().tolist() == [0.0, 5.0, 0.0, 0.0, 12.0]
    found = k_center(pool, 2, torch.arange(5), known)
    assert (found.rows.tolist(), found.distances.tolist()) == ([4, 1], [12.0, 5.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 3), st.integers(1, 6))
def test_picks_are_those_of_the_formula(seed: int, size: int, width: int, labelled: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, x_known = torch.randn(size + labelled, width, generator=generator).double().split([size, labelled])
    y, y_known = torch.randn(size + labelled, 1, generator=generator).double().split([size, labelled])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cover, "FRESH", 1 + seed % 7)
        pool, known = both(x, y, x_known, y_known)
        found = k_center(pool, size, torch.arange(size), known)
    picks, products = plain(x, y, size, (x_known, y_known))
    assert found.rows.tolist() == picks
    assert found.distances.tolist() == pytest.approx(products, abs=1e-7)


def test_more_labelled_items_than_one_block_of_centres() -> None:
    generator = torch.Generator().manual_seed(3)
    x, x_known = torch.randn(950, 3, generator=generator).double().split([300, 650])
    y, y_known = torch.randn(950, 1, generator=generator).double().split([300, 650])
    pool, known = both(x, y, x_known, y_known)
    assert k_center(pool, 9, torch.arange(300), known).rows.tolist() == plain(x, y, 9, (x_known, y_known))[0]


def test_types_may_differ() -> None:
    pool = Product(Points(LINE), Points(LINE.double()))
    assert pool.norms.dtype == torch.float64
    assert pool.squared(pool.take(torch.tensor([0]))).tolist() == [[0.0, 1.0, 16.0, 256.0, 2401.0]]


def test_central_is_nearest_to_the_mean() -> None:
    """The mean of the line is 2.8: 2 is nearest, and a copy of it with a lower key comes first."""
    assert central(Points(LINE), torch.arange(5)) == 2
    assert central(Points(torch.cat([LINE, LINE[2:3]])), torch.tensor([0, 1, 5, 3, 4, 2])) == 5
    z = 1000 + torch.randn(5000, 4, generator=torch.Generator().manual_seed(0))
    gaps = (z.double() - z.double().mean(0)).norm(dim=1)
    assert central(Points(z), torch.arange(5000)) == int(gaps.argmin())
    among = torch.arange(0, 5000, 3)
    middle = int((z[among].double() - z[among].double().mean(0)).norm(dim=1).argmin())
    assert central(Points(z, among), torch.arange(len(among))) == middle


def test_rows_of_a_pool_wide_tensor_need_no_copy() -> None:
    z = torch.randn(90, 3, generator=torch.Generator().manual_seed(2))
    among = torch.arange(0, 90, 3)
    wide, own = Product(Points(z, among), Points(z[:, :1], among)), Product(Points(z[among]), Points(z[among][:, :1]))
    some = torch.tensor([1, 4])
    assert_close(wide.squared(wide.take(some)), own.squared(own.take(some)))
