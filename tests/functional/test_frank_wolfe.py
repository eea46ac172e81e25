"""Frank-Wolfe over vectors, and the vectors of likelihoods."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.testing import assert_close

from askwell.errors import BadShape, PoolExhausted
from askwell.functional import frank_wolfe
from askwell.functional.frank_wolfe import bayesian_coreset, log_likelihoods

ROWS = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], dtype=torch.float64)
ITERATIONS = [
    ((4.0,), 0.707107),
    ((2.927685, 0.993796), 0.055694),
    ((3.010328, 0.958318), 0.036881),
    ((), 0.024862),
]


def vectors(rows: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(rows, width, generator=Generator().manual_seed(seed), dtype=torch.float64)


def plain(v: Tensor, n: int) -> tuple[list[int], float]:
    """The rows that came in, in order, and the residual: the card's steps by weights, until only rounding is left."""
    rows, sigma = v.numpy(), np.sqrt((v.numpy() ** 2).sum(1) + 1e-6)
    weights, came = np.zeros(len(rows)), []
    for _ in range(10 * n):
        if len(came) == n:
            break
        residual = rows.sum(0) - weights @ rows
        if np.linalg.norm(residual) < 1e-9 * np.linalg.norm(rows.sum(0)):
            break
        best = int(np.argmax(rows @ residual / sigma))
        direction = sigma.sum() / sigma[best] * rows[best] - weights @ rows
        step = min(1.0, (direction @ residual) / (direction @ direction))
        weights *= 1 - step
        weights[best] += step * sigma.sum() / sigma[best]
        came = [row for row in dict.fromkeys([*came, best]) if weights[row] > 0]
    return came, float(np.linalg.norm(rows.sum(0) - weights @ rows))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_worked_iterations(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four iterations visit rows 3, 0, 3, 0: two distinct rows; the others fill up."""
    monkeypatch.setattr(frank_wolfe, "PATIENCE", 1)
    weights, residual = ITERATIONS[count - 1]
    found = bayesian_coreset(ROWS, count, torch.arange(4))
    assert found.residual == pytest.approx(residual, abs=1e-5)
    assert found.rows[:2].tolist() == [3, 0][:count]
    assert found.weights[: len(weights)].tolist() == pytest.approx(weights, abs=1e-5)
    assert found.weights[2:].tolist() == [0.0] * max(0, count - 2)


def test_what_fills_up_is_best_aligned_with_the_residual() -> None:
    found = bayesian_coreset(ROWS, 4, torch.arange(4))
    came = found.weights > 0
    residual = ROWS.sum(0) - found.weights @ ROWS[found.rows]
    unit = ROWS / (ROWS.square().sum(1) + 1e-6).sqrt()[:, None]
    assert came.tolist() == [True, True, False, False]
    assert_close(found.alignments[2:], unit[found.rows[2:]] @ residual, atol=1e-9, rtol=0)
    assert found.alignments[2] >= found.alignments[3]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100), st.integers(3, 8), st.integers(1, 9))
def test_equals_the_plain_walk(seed: int, width: int, n: int) -> None:
    v = vectors(30, width, seed) + 0.5
    came, residual = plain(v, n)
    found = bayesian_coreset(v, n, torch.arange(30))
    assert found.rows[: len(came)].tolist() == came
    assert found.residual == pytest.approx(residual, abs=1e-6)
    assert len(set(found.rows.tolist())) == n


def test_the_residual_never_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    v, before = vectors(50, 6) + 0.3, float("inf")
    for patience in range(1, 12):
        monkeypatch.setattr(frank_wolfe, "PATIENCE", patience)
        found = bayesian_coreset(v, 5, torch.arange(50)).residual
        assert found <= before + 1e-12
        before = found


def test_copies_do_not_come_in_twice() -> None:
    v = torch.cat([vectors(1, 4).expand(5, 4), vectors(6, 4, seed=1)]) + 1
    found = bayesian_coreset(v, 3, torch.arange(11))
    assert (found.rows[found.weights > 0] < 5).sum() <= 1


def test_ties_go_to_the_lower_key() -> None:
    same = torch.ones(6, 3, dtype=torch.float64)
    for first in range(6):
        key = torch.arange(6).roll(first)
        assert int(bayesian_coreset(same, 1, key).rows) == first


def test_nothing_to_match_is_filled_at_once() -> None:
    found = bayesian_coreset(torch.zeros(4, 3, dtype=torch.float64), 3, torch.arange(4))
    assert found.rows.tolist() == [0, 1, 2]
    assert found.weights.tolist() == [0.0, 0.0, 0.0]


def test_likelihoods_by_hand() -> None:
    mc = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]], dtype=torch.float64)
    p = torch.tensor([0.55, 0.45], dtype=torch.float64)
    entropy = -(p * p.log()).sum()
    by_hand = torch.stack([(p * mc[0, k].log()).sum() + 0.7 * entropy for k in (0, 1)]) / 2**0.5
    assert_close(log_likelihoods(mc, 0.7)[0], by_hand)
    assert_close(log_likelihoods(mc, 0.0)[0], by_hand - 0.7 * entropy / 2**0.5)


def test_a_draw_that_excludes_the_label_stays_finite() -> None:
    hot = torch.eye(2)[torch.tensor([[0, 1], [0, 0]])]
    found = log_likelihoods(hot, 0.7)
    assert torch.isfinite(found).all()
    assert found[1].tolist() == [0.0, 0.0]
    assert_close(found, log_likelihoods(hot.half(), 0.7))


def test_refuses() -> None:
    text = r"^expected a floating-point tensor \(N, K, C\), got shape \(2, 2\) and type torch.float32$"
    with pytest.raises(BadShape, match=text):
        log_likelihoods(torch.zeros(2, 2), 0.7)
    with pytest.raises(PoolExhausted):
        bayesian_coreset(ROWS, 5, torch.arange(4))
