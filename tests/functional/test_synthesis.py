"""Points between two classes, near real ones and apart from each other; nearest neighbours without a square."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from askwell.functional.deepfool import deepfool
from askwell.functional.distance import Points
from askwell.functional.neighbours import distinct_nearest, nearest
from askwell.functional.synthesis import synthesise

W = torch.tensor([3.0, 4.0])
X = torch.tensor([[2.0, 1.0]])
BOX = (torch.full((2,), -5.0), torch.full((2,), 5.0))
NONE = torch.empty(0, 2)


def line(x: Tensor) -> Tensor:
    """Two logits whose gap is |w·x − 5|."""
    return torch.stack([x @ W - 5, torch.zeros(len(x))], 1)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_closed_form_of_the_card() -> None:
    """x* = x − f(x)·w/‖w‖² is what one step of DeepFool gives."""
    found = deepfool(X, line, overshoot=0.0, steps=1)
    assert_close(X + found.shift, torch.tensor([[1.4, 0.2]]))
    assert found.lengths.item() == pytest.approx(1.0)


def test_the_pull_ends_where_its_closed_form_does() -> None:
    """Of a linear gap f, f² + λ‖x − x₀‖² is least at x₀ − f(x₀)/(‖w‖² + λ)·w."""
    for pull in (1.0, 5.0):
        found = synthesise(X, line, X, NONE, BOX, pull=pull, push=0.0, lr=0.1, steps=200)
        assert_close(found, X - 5 / (25 + pull) * W, atol=2e-4, rtol=0)


def test_the_push_sets_points_apart() -> None:
    """f² − η·log‖x − e‖ grows along the line, so that points that start close end apart."""
    start = torch.tensor([[1.4, 0.2], [1.41, 0.2]])
    pulled = synthesise(start, line, start, NONE, BOX, push=0.0)
    pushed = synthesise(start, line, start, NONE, BOX, push=0.5)
    assert (pushed[0] - pushed[1]).norm() > 0.5 > 0.05 > (pulled[0] - pulled[1]).norm()
    assert_close(pushed[0], pulled[0], atol=5e-2, rtol=0)


def test_earlier_points_push_too() -> None:
    earlier = torch.tensor([[1.41, 0.21]])
    start = torch.tensor([[1.4, 0.2]])
    left = synthesise(start, line, start, earlier, BOX, push=0.0)
    pushed = synthesise(start, line, start, earlier, BOX, push=0.5)
    assert (pushed - earlier).norm() > 0.5 > 0.05 > (left - earlier).norm()


def test_points_push_each_other_beside_earlier_ones() -> None:
    """The earlier point is far away: it is the point before it that the second one leaves."""
    start, earlier = torch.tensor([[1.4, 0.2], [1.41, 0.2]]), torch.tensor([[-4.0, 4.0]])
    pushed = synthesise(start, line, start, earlier, BOX, push=0.5)
    assert (pushed[0] - pushed[1]).norm() > 0.3


def test_the_nearest_real_point_pulls_not_the_first() -> None:
    """Two real points lie on the boundary; every made one ends at its own."""
    pool = torch.tensor([[-1.0, 2.0], [3.0, -1.0]])
    start = torch.tensor([[3.2, -0.8], [-0.9, 2.1]])
    found = synthesise(start, line, pool, NONE, BOX, pull=1.0, push=0.0, lr=0.1, steps=200)
    assert_close(found, pool.flip(0), atol=2e-4, rtol=0)


def test_nothing_leaves_the_box() -> None:
    low, high = torch.tensor([1.9, 0.0]), torch.tensor([2.1, 1.0])
    found = synthesise(X.repeat(5, 1), line, X, NONE, (low, high), lr=0.5)
    assert (found >= low).all()
    assert (found <= high).all()
    assert_close(found[0], low)


def test_the_start_stays_as_it_was() -> None:
    start = X.clone().requires_grad_(True)
    found = synthesise(start.half(), line, X.half(), NONE.half(), BOX, steps=3)
    assert start.grad is None
    assert found.dtype == torch.float32
    assert not found.requires_grad


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_nearest_is_that_of_all_distances(offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 50)
    rows, sought = (offset + torch.randn(n, 3, generator=rng(n)) for n in (40, 9))
    wanted = torch.cdist(sought.double(), rows.double()).argmin(1)
    assert torch.equal(nearest(sought, Points(rows)), wanted)
    assert torch.equal(nearest(sought, Points(rows.repeat(3, 1), torch.arange(40, 80))), wanted)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_distinct_ones_are_taken_in_turn(offset: float) -> None:
    rows, sought = (offset + torch.randn(12, 3, generator=rng(seed)) for seed in (1, 2))
    distances, wanted = torch.cdist(sought.double(), rows.double()), []
    for row in distances:
        row[wanted] = torch.inf
        wanted.append(int(row.argmin()))
    assert distinct_nearest(sought, Points(rows), rng()).tolist() == wanted


def test_equally_near_ones_are_taken_at_random() -> None:
    rows = Points(torch.tensor([[1.0], [1.0], [9.0]]))
    assert {int(distinct_nearest(torch.zeros(1, 1), rows, rng(seed))) for seed in range(20)} == {0, 1}
