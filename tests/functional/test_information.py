"""Disagreement between draws."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional.information import (
    bald,
    entropy_of_mean,
    mean_entropy,
    mean_std,
    vote_entropy,
    vr_mean,
    vr_votes,
)
from askwell.functional.uncertainty import entropy, least_confidence

FIRST = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.9, 0.1, 0.9, 0.1], [0.8, 0.7, 0.6, 0.4]], dtype=torch.float64)
M1 = torch.stack([FIRST, 1 - FIRST], 2)
ALL = [bald, entropy_of_mean, mean_entropy, mean_std, vote_entropy, vr_mean, vr_votes]
WORKED = [
    (vr_mean, (0.5, 0.5, 0.375)),
    (vr_votes, (0.0, 0.5, 0.25)),
    (mean_std, (0.0, 0.4, 0.147902)),
    (vote_entropy, (0.0, 0.693147, 0.562335)),
    (entropy_of_mean, (0.693147, 0.693147, 0.661563)),
    (mean_entropy, (0.693147, 0.325083, 0.614323)),
    (bald, (0.0, 0.368064, 0.047241)),
]


def draws(rows: int, k: int, classes: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(2 * torch.randn(rows, k, classes, generator=generator, dtype=torch.float64), 2)


@pytest.mark.parametrize(("score", "values"), WORKED)
def test_worked_numbers(score: object, values: tuple[float, ...]) -> None:
    assert_close(score(M1), torch.tensor(values, dtype=torch.float64), atol=1e-6, rtol=0)


def test_normalised_vote_entropy() -> None:
    assert_close(vote_entropy(M1) / math.log(2), torch.tensor([0, 1, 0.811278], dtype=torch.float64), atol=1e-6, rtol=0)


def test_votes() -> None:
    votes = torch.eye(3)[torch.tensor([[0, 0, 1, 2, 0]])]
    assert_close(vr_votes(votes), torch.tensor([0.4]))
    everyone = torch.eye(3)[torch.tensor([[0, 1, 2, 0, 1, 2, 0]])]
    assert_close(vr_votes(everyone), torch.tensor([1 - math.ceil(7 / 3) / 7]))


def test_exact_dropout_masks() -> None:
    p = torch.sigmoid(torch.tensor([0.0, 3.0, -2.0, 1.0], dtype=torch.float64))
    mc = torch.stack([p, 1 - p], 1)[None]
    assert_close(p, torch.tensor([0.5, 0.952574, 0.119203, 0.731059], dtype=torch.float64), atol=1e-6, rtol=0)
    assert p.mean().item() == pytest.approx(0.575709, abs=1e-6)
    for score, value in ((entropy_of_mean, 0.681639), (mean_entropy, 0.457887), (bald, 0.223752)):
        assert score(mc).item() == pytest.approx(value, abs=1e-6)


@given(st.integers(0, 50), st.integers(1, 5), st.integers(2, 6))
def test_identities(seed: int, k: int, classes: int) -> None:
    mc = draws(6, k, classes, seed)
    mean = mc.mean(1, keepdim=True)
    kl = (mc * (mc / mean).log()).sum(2).mean(1)
    assert_close(bald(mc), kl, atol=1e-12, rtol=0)
    assert_close(entropy_of_mean(mc), bald(mc) + mean_entropy(mc))
    assert_close(entropy_of_mean(mc), entropy(mc.mean(1)))
    assert_close(vr_mean(mc), least_confidence(mc.mean(1)))
    assert (bald(mc) <= torch.minimum(entropy_of_mean(mc), torch.tensor(math.log(k))) + 1e-12).all()
    assert (mean_std(mc) <= 0.5).all()


def test_one_draw_never_disagrees() -> None:
    mc = draws(20, 1, 5)
    for score in (bald, mean_std, vote_entropy, vr_votes):
        assert_close(score(mc), torch.zeros(20, dtype=torch.float64))


def test_draws_may_be_shuffled_in_each_row() -> None:
    mc = draws(10, 6, 4)
    shuffled = torch.stack(
        [row[torch.randperm(6, generator=torch.Generator().manual_seed(i))] for i, row in enumerate(mc)]
    )
    for score in ALL:
        assert_close(score(shuffled), score(mc))


@pytest.mark.parametrize("score", ALL)
def test_one_hot_rows_are_finite(score: object) -> None:
    hot = torch.eye(3)[torch.tensor([[0, 0, 0], [0, 1, 2]])]
    assert torch.isfinite(score(hot)).all()
    assert score(hot)[0] == 0


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_keeps_the_type_and_streams(score: object, dtype: torch.dtype) -> None:
    mc = draws(3000, 7, 10).to(dtype)
    whole = score(mc)
    assert whole.dtype == dtype
    assert torch.equal(score(mc[1000:1002]), whole[1000:1002])
    assert_close(whole.double(), score(mc.double()), atol=2e-3 if dtype == torch.float16 else 1e-5, rtol=0)


def test_refuses_two_axes() -> None:
    text = r"^expected a floating-point tensor \(N, K, C\), got shape \(2, 2\) and type torch.float32$"
    with pytest.raises(BadShape, match=text):
        bald(torch.zeros(2, 2))
