"""BAIT over Fisher information by factors."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.testing import assert_close

from askwell.errors import BadShape, PoolExhausted
from askwell.functional import design
from askwell.functional.design import bait
from askwell.functional.fisher import Fishers, contrasts, sketch

P = torch.tensor([0.5, 0.9, 0.6], dtype=torch.float64)
X = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
LOGISTIC = torch.stack([P, 1 - P], 1)
RIDGE = 2 * torch.eye(2, dtype=torch.float64)
"""Two logits hold twice the information of their difference, and as much of the ridge."""


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def logistic() -> Fishers:
    return Fishers(LOGISTIC, X, contrasts(2, 1, rng()))


def pool(rows: int, classes: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    p = torch.softmax(2 * torch.randn(rows, classes, generator=rng(seed), dtype=torch.float64), 1)
    return p, torch.randn(rows, width, generator=rng(seed + 999), dtype=torch.float64)


def gradients(p: Tensor, z: Tensor) -> Tensor:
    """(N, C, C·D) rows √p_c (e_c − p) ⊗ z, materialised."""
    apart = torch.eye(p.shape[1], dtype=p.dtype) - p[:, None]
    return (p.sqrt()[:, :, None, None] * apart[:, :, :, None] * z[:, None, None]).flatten(2)


def plain(v: Tensor, known: Tensor, wanted: Tensor, n: int) -> list[int]:
    """Forward and back by the trace itself, every inverse anew."""

    def trace(rows: list[int]) -> float:
        total = known + sum((v[i].t() @ v[i] for i in rows), torch.zeros_like(known))
        return float((torch.linalg.inv(total) * wanted).sum())

    picks: list[int] = []
    for _ in range(min(2 * n, len(v))):
        picks.append(min((i for i in range(len(v)) if i not in picks), key=lambda i: trace([*picks, i])))
    while len(picks) > n:
        picks.remove(min(picks, key=lambda i: trace([j for j in picks if j != i])))
    return picks


def test_information_of_the_logits() -> None:
    p, z = pool(6, 4, 3)
    fishers = Fishers(p, z, contrasts(4, 9, rng()))
    full = torch.diag_embed(p) - p[:, :, None] * p[:, None]
    assert_close(gradients(p, torch.ones(6, 1, dtype=p.dtype)).mT @ gradients(p, torch.ones(6, 1, dtype=p.dtype)), full)
    assert_close(fishers.logits(slice(None)), fishers.basis @ full @ fishers.basis.t())
    assert_close(torch.linalg.eigvalsh(full)[:, 1:], torch.linalg.eigvalsh(fishers.logits(slice(None))))


def test_products_with_factors_are_those_with_matrices() -> None:
    p, z = pool(7, 4, 3)
    fishers = Fishers(p, z, contrasts(4, 9, rng()))
    basis = torch.kron(fishers.basis, torch.eye(3, dtype=p.dtype))
    whole = torch.einsum("ncw,ncv->nwv", gradients(p, z), gradients(p, z))
    assert_close(fishers.mean(), basis @ whole.mean(0) @ basis.t())
    matrix = basis @ (whole.sum(0) + torch.eye(12, dtype=p.dtype)) @ basis.t()
    for row in range(7):
        place = torch.kron(torch.eye(3, dtype=p.dtype), z[row][:, None])
        assert_close(fishers.inside(matrix, slice(row, row + 1))[0], place.t() @ matrix @ place)
        assert_close(fishers.along(matrix[:, :2], slice(row, row + 1))[0], place.t() @ matrix[:, :2])
        root = fishers.root(row)
        assert_close(root @ root.t(), basis @ whole[row] @ basis.t())


def test_nothing_labelled_is_no_information() -> None:
    assert torch.equal(Fishers(LOGISTIC[:0], X[:0], contrasts(2, 1, rng())).mean(), torch.zeros(2, 2).double())


def test_worked_numbers() -> None:
    fishers = logistic()
    wanted = fishers.mean()
    assert_close(wanted / 2, torch.tensor([[0.413333, 0.08], [0.08, 0.11]]).double(), atol=1e-6, rtol=0)
    traces = []
    for row in range(3):
        total = RIDGE + fishers.root(row) @ fishers.root(row).t()
        traces.append(float((torch.linalg.inv(total) * wanted).sum()))
    assert traces == pytest.approx([0.316667, 0.514251, 0.412523], abs=1e-6)
    one = bait(fishers, RIDGE, wanted, 1, torch.arange(3))
    assert (one.rows.tolist(), one.trace) == ([0], pytest.approx(0.316667, abs=1e-6))
    assert one.gains.tolist() == pytest.approx([0.523333 - 0.316667], abs=1e-6)
    two = bait(fishers, RIDGE, wanted, 2, torch.arange(3))
    assert (two.rows.tolist(), two.trace) == ([0, 2], pytest.approx(0.264902, abs=1e-6))


def test_pairs_of_the_worked_numbers() -> None:
    fishers = logistic()
    found = {}
    for pair in combinations(range(3), 2):
        total = RIDGE + sum((fishers.root(i) @ fishers.root(i).t() for i in pair), torch.zeros_like(RIDGE))
        found[pair] = float((torch.linalg.inv(total) * fishers.mean()).sum())
    assert found == pytest.approx({(0, 1): 0.307584, (0, 2): 0.264902, (1, 2): 0.406970}, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.integers(2, 5), st.integers(1, 5), st.integers(1, 6))
def test_equals_the_plain_search(seed: int, classes: int, width: int, n: int) -> None:
    p, z = pool(14, classes, width, seed)
    fishers, v = Fishers(p, z, contrasts(classes, 9, rng())), gradients(p, z)
    eye, wanted = torch.eye(v.shape[2], dtype=v.dtype), torch.einsum("ncw,ncv->wv", v, v) / 14
    ridge = 0.3 * torch.eye(fishers.width, dtype=v.dtype)
    assert bait(fishers, ridge, fishers.mean(), n, torch.arange(14)).rows.tolist() == plain(v, 0.3 * eye, wanted, n)


def test_inverses_follow_the_picks_and_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    p, z = pool(60, 4, 3)
    fishers, ridge = Fishers(p, z, contrasts(4, 9, rng())), torch.eye(9, dtype=p.dtype)
    search = design._Search(fishers, ridge, fishers.mean(), torch.arange(60))
    for _ in range(9):
        search.add()
    for _ in range(4):
        search.remove()
    by_hand = torch.linalg.inv(ridge + sum(fishers.root(i) @ fishers.root(i).t() for i in search.gains))
    assert_close(search.inverse, by_hand)
    assert_close(search.product, by_hand @ fishers.mean() @ by_hand)
    whole = bait(fishers, ridge, fishers.mean(), 12, torch.arange(60))
    monkeypatch.setattr(design, "REFRESH", 3)
    assert bait(fishers, ridge, fishers.mean(), 12, torch.arange(60)).rows.tolist() == whole.rows.tolist()


def test_rows_that_cannot_win_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    p, z = pool(400, 4, 3)
    p[100:] = torch.softmax(20 * p[100:], 1)
    fishers, ridge = Fishers(p, z, contrasts(4, 9, rng())), torch.eye(9, dtype=p.dtype)
    whole = bait(fishers, ridge, fishers.mean(), 6, torch.arange(400))
    seen: list[int] = []
    count = design._trace_change

    def counted(logits: Tensor, *rest: object) -> Tensor:
        seen.append(len(logits))
        return count(logits, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(design, "_trace_change", counted)
    monkeypatch.setattr(design, "TOGETHER", 8)
    assert bait(fishers, ridge, fishers.mean(), 6, torch.arange(400)).rows.tolist() == whole.rows.tolist()
    assert sum(seen) < 12 * 400 / 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.integers(2, 5), st.integers(1, 4))
def test_no_gain_is_above_its_bound(seed: int, classes: int, width: int) -> None:
    p, z = pool(40, classes, width, seed)
    fishers = Fishers(p, z, contrasts(classes, 9, rng()))
    search = design._Search(fishers, 0.1 * torch.eye(fishers.width).double(), fishers.mean(), torch.arange(40))
    for _ in range(6):
        gains = design._trace_change(fishers.logits(slice(None)), search.seen, search.aimed, 1)
        left = search.bounds > -torch.inf
        assert (gains[left] <= search.bounds[left] + 1e-9).all()
        assert_close(search.seen, fishers.inside(search.inverse, slice(None)))
        assert_close(search.aimed, fishers.inside(search.product, slice(None)))
        search.add()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.integers(2, 5), st.integers(1, 4))
def test_one_row_at_a_time_finds_the_same(seed: int, classes: int, width: int) -> None:
    p, z = pool(40, classes, width, seed)
    fishers = Fishers(p, z, contrasts(classes, 9, rng()))
    ridge, wanted = 0.1 * torch.eye(fishers.width).double(), fishers.mean()
    whole = bait(fishers, ridge, wanted, 5, torch.arange(40)).rows.tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "TOGETHER", 1)
        assert bait(fishers, ridge, wanted, 5, torch.arange(40)).rows.tolist() == whole


def test_random_directions_keep_lengths_on_average() -> None:
    assert_close(contrasts(5, 4, rng()) @ torch.ones(5).double(), torch.zeros(4).double(), atol=1e-12, rtol=0)
    assert_close(contrasts(5, 4, rng()) @ contrasts(5, 4, rng()).t(), torch.eye(4).double())
    mixed = contrasts(400, 16, rng())
    assert mixed.shape == (16, 400)
    assert_close(mixed.sum(1), torch.zeros(16).double(), atol=1e-9, rtol=0)
    rows = torch.randn(50, 300, generator=rng(1)).double()
    kept = (rows @ sketch(300, 64, rng())).square().sum(1) / rows.square().sum(1)
    assert float(kept.mean()) == pytest.approx(1, abs=0.1)


def test_refuses() -> None:
    text = r"^expected p \(N, C\) and z \(N, D\) of the same rows, got \(3, 2\) and \(2, 2\)$"
    with pytest.raises(BadShape, match=text):
        Fishers(LOGISTIC, X[:2], contrasts(2, 1, rng()))
    with pytest.raises(PoolExhausted):
        bait(logistic(), RIDGE, RIDGE, 4, torch.arange(3))
