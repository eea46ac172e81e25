"""Scores of class probabilities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional.uncertainty import entropy, least_confidence, margin, ratio

P1 = torch.tensor([[0.50, 0.49, 0.01], [0.44, 0.40, 0.16], [0.46, 0.27, 0.27]], dtype=torch.float64)
ALL = [least_confidence, margin, ratio, entropy]


def probs(rows: int, classes: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(3 * torch.randn(rows, classes, generator=generator, dtype=torch.float64), 1)


def expected(score: object, p: Tensor) -> Tensor:
    best = p.sort(1, descending=True).values
    return {
        least_confidence: 1 - best[:, 0],
        margin: 1 - (best[:, 0] - best[:, 1]),
        ratio: best[:, 1] / best[:, 0],
        entropy: -torch.xlogy(p, p).sum(1),
    }[score]


def test_worked_numbers() -> None:
    assert_close(least_confidence(P1), torch.tensor([0.50, 0.56, 0.54], dtype=torch.float64))
    assert_close(1 - margin(P1), torch.tensor([0.01, 0.04, 0.19], dtype=torch.float64))
    assert_close(entropy(P1), torch.tensor([0.742167, 1.020961, 1.064243], dtype=torch.float64), atol=1e-6, rtol=0)


def test_one_array_separates_all_three() -> None:
    assert [int(score(P1).argmax()) for score in (least_confidence, margin, entropy)] == [1, 0, 2]


@pytest.mark.parametrize("classes", [2, 3, 10, 32, 33, 200])
@pytest.mark.parametrize("score", ALL)
def test_equals_its_definition(score: object, classes: int) -> None:
    p = probs(300, classes)
    assert_close(score(p), expected(score, p))


@pytest.mark.parametrize("score", ALL)
def test_many_tiles_equal_one_row_at_a_time(score: object) -> None:
    p = probs(30_000, 10).float()
    whole = score(p)
    for row in (0, 1, 13_106, 13_107, 29_999):
        assert torch.equal(score(p[row : row + 1])[0], whole[row])


def test_extremes() -> None:
    hot, flat = torch.eye(4), torch.full((1, 4), 0.25)
    for score in ALL:
        assert torch.equal(score(hot), torch.zeros(4))
    assert_close(entropy(flat), torch.tensor([math.log(4)]))
    assert_close(least_confidence(flat), torch.tensor([0.75]))
    assert_close(margin(torch.tensor([[0.4, 0.4, 0.2]])), torch.ones(1))


def test_one_class_leaves_no_doubt() -> None:
    for score in ALL:
        assert torch.equal(score(torch.ones(3, 1)), torch.zeros(3))


@given(st.permutations(range(5)), st.integers(0, 20))
def test_classes_may_be_permuted(order: list[int], seed: int) -> None:
    p = probs(4, 5, seed)
    for score in ALL:
        assert_close(score(p[:, order]), score(p))


def test_two_classes_rank_alike() -> None:
    p = probs(100, 2)
    assert len({tuple(score(p).argsort().tolist()) for score in ALL}) == 1


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_keeps_the_type(score: object, dtype: torch.dtype) -> None:
    p = probs(50, 10).to(dtype)
    got = score(p)
    assert got.dtype == dtype
    reference = expected(score, p.double() if dtype == torch.float64 else p.float())
    assert_close(got, reference.to(dtype))


@pytest.mark.parametrize("score", ALL)
def test_leaves_its_input_alone(score: object) -> None:
    p = probs(50, 10)
    before, version = p.clone(), p._version
    score(p)
    assert torch.equal(p, before)
    assert p._version == version


def test_refuses_the_wrong_shape_and_type() -> None:
    text = r"^expected a floating-point tensor \(N, C\), got shape \(3,\) and type torch.float32$"
    with pytest.raises(BadShape, match=text):
        entropy(torch.zeros(3))
    with pytest.raises(BadShape, match=r"got shape \(3, 2\) and type torch.int64$"):
        entropy(torch.zeros(3, 2, dtype=torch.int64))


def test_an_empty_pool_has_no_scores() -> None:
    assert entropy(torch.zeros(0, 3)).shape == (0,)
