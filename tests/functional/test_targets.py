"""Information about targets, and changes of their predictions."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional.information import bald
from askwell.functional.targets import core_mse, epig, prediction_changes


def binary(*first: tuple[float, ...]) -> Tensor:
    """(N, K, 2) draws by the probability of the first class."""
    p = torch.tensor(first, dtype=torch.float64)
    return torch.stack([p, 1 - p], 2)


CANDIDATES = binary((0.9, 0.1), (0.7, 0.4))
TARGETS = binary((0.9, 0.1), (0.5, 0.5), (0.8, 0.2))
SCORES = [epig, core_mse]


def draws(rows: int, k: int, classes: int, seed: int = 0) -> Tensor:
    generator = Generator().manual_seed(seed)
    return torch.softmax(2 * torch.randn(rows, k, classes, generator=generator, dtype=torch.float64), 2)


def conditional(mc: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """p(y) (N, C), p(y') (T, C) and p(y' | y) (N, T, C, C), by the weights of the draws given each label."""
    weights = mc / mc.sum(1, keepdim=True)
    return mc.mean(1), targets.mean(1), torch.einsum("ikc,jkd->ijcd", weights, targets)


def expected_divergence(mc: Tensor, targets: Tensor) -> Tensor:
    """(N, T) Σ_y p(y) KL(p(y' | y) ‖ p(y'))."""
    p, q, given_label = conditional(mc, targets)
    return (p[:, None] * (given_label * (given_label / q[None, :, None]).log()).sum(3)).sum(2)


def expected_move(mc: Tensor, targets: Tensor) -> Tensor:
    """(N, T) Σ_y p(y) ‖p(y' | y) − p(y')‖²."""
    p, q, given_label = conditional(mc, targets)
    return (p[:, None] * (given_label - q[None, :, None]).square().sum(3)).sum(2)


def test_worked_numbers() -> None:
    numbers = torch.tensor([[0.221754, 0, 0.120090], [0, 0, 0]], dtype=torch.float64)
    assert_close(prediction_changes(CANDIDATES[:1], TARGETS, "log"), numbers[:1], atol=1e-6, rtol=0)
    moves = torch.tensor([[0.2048, 0, 0.1152]], dtype=torch.float64)
    assert_close(prediction_changes(CANDIDATES[:1], TARGETS, "mse"), moves, atol=1e-6, rtol=0)
    assert epig(CANDIDATES, TARGETS).tolist() == pytest.approx([0.113948, 0.015283], abs=1e-6)
    assert core_mse(CANDIDATES, TARGETS).tolist() == pytest.approx([0.106667, 0.015152], abs=1e-6)
    assert bald(CANDIDATES[:1]).item() == pytest.approx(0.368064, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100), st.integers(1, 6), st.integers(2, 5), st.integers(1, 7))
def test_equal_what_the_labels_change(seed: int, k: int, classes: int, count: int) -> None:
    mc, targets = draws(9, k, classes, seed), draws(count, k, classes, seed + 1000)
    divergence, move = expected_divergence(mc, targets), expected_move(mc, targets)
    assert_close(prediction_changes(mc, targets, "log"), divergence, atol=1e-12, rtol=1e-9)
    assert_close(prediction_changes(mc, targets, "mse"), move, atol=1e-12, rtol=1e-9)
    assert_close(epig(mc, targets), divergence.mean(1), atol=1e-12, rtol=1e-9)
    assert_close(core_mse(mc, targets), move.mean(1), atol=1e-12, rtol=1e-9)


def test_a_label_tells_no_more_about_a_target_than_about_the_model() -> None:
    mc, targets = draws(200, 6, 4), draws(30, 6, 4, seed=1)
    assert (epig(mc, targets) <= bald(mc) + 1e-12).all()
    assert (prediction_changes(mc, targets, "log") <= bald(mc)[:, None] + 1e-12).all()
    assert (prediction_changes(mc, targets, "log") <= bald(targets) + 1e-12).all()
    assert (core_mse(mc, targets) <= 2).all()


def test_targets_on_which_all_draws_agree_tell_nothing() -> None:
    mc, same = draws(20, 6, 4), draws(5, 1, 4, seed=1).expand(5, 6, 4)
    for score in SCORES:
        assert_close(score(mc, same), torch.zeros(20, dtype=torch.float64), atol=1e-12, rtol=0)
        assert_close(score(same, mc), torch.zeros(5, dtype=torch.float64), atol=1e-12, rtol=0)


def test_shuffled_draws_lose_what_is_shared() -> None:
    mc = draws(20, 30, 3)
    shuffled = mc[:, torch.randperm(30, generator=Generator().manual_seed(0))]
    assert prediction_changes(mc, mc, "log").diagonal().mean() > 5 * prediction_changes(mc, shuffled, "log").mean()


@pytest.mark.parametrize("elements", [40, 700, 5000])
def test_tiles_change_nothing(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mc, targets = draws(37, 5, 4), draws(11, 5, 4, seed=1)
    whole = [epig(mc, targets), core_mse(mc, targets), *(prediction_changes(mc, targets, r) for r in ("log", "mse"))]
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", elements)
    tiled = [epig(mc, targets), core_mse(mc, targets), *(prediction_changes(mc, targets, r) for r in ("log", "mse"))]
    for one, other in zip(whole, tiled, strict=True):
        assert_close(one, other, atol=1e-12, rtol=0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_keeps_the_type(score: object, dtype: torch.dtype) -> None:
    mc, targets = draws(300, 5, 4), draws(50, 5, 4, seed=1)
    found = score(mc.to(dtype), targets.to(dtype))
    assert found.dtype == dtype
    assert_close(found.double(), score(mc, targets), atol=2e-3 if dtype == torch.float16 else 1e-6, rtol=0)


def test_one_hot_rows_are_finite() -> None:
    hot = torch.eye(3)[torch.tensor([[0, 0, 0], [0, 1, 2], [1, 1, 2]])]
    for score in SCORES:
        assert torch.isfinite(score(hot, hot)).all()
        assert score(hot, hot)[0] == 0
    assert float(epig(hot[1:2], hot[1:2])) == pytest.approx(math.log(3), abs=1e-6)


@pytest.mark.parametrize("targets", [torch.zeros(0, 2, 2), torch.zeros(3, 4, 2), torch.zeros(3, 2)])
def test_refuses_targets_of_other_draws(targets: Tensor) -> None:
    text = rf"^expected draws \(N, K, C\) and \(T, K, C\) with T >= 1, got \(2, 2, 2\) and \({targets.shape[0]}, "
    with pytest.raises(BadShape, match=text):
        epig(CANDIDATES, targets)
