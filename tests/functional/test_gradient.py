"""Last-layer gradients by their factors."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional.gradient import Gradients, surprise

P = torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.98, 0.01, 0.01]], dtype=torch.float64)
Z = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
PAIRS = {(0, 1): 0.28, (0, 2): 2.62, (0, 3): 0.305, (1, 2): 1.24, (1, 3): 0.367, (2, 3): 1.967}


def materialised(p: Tensor, z: Tensor) -> Tensor:
    q = p - torch.nn.functional.one_hot(p.argmax(1), p.shape[1])
    return (q[:, :, None] * z[:, None]).flatten(1)


def test_worked_numbers() -> None:
    g = Gradients(surprise(P), Z)
    assert_close(g.norms, torch.tensor([0.38, 0.52, 2.24, 0.015], dtype=torch.float64))
    squared = g.squared(g.take(torch.arange(4)))
    for (i, j), value in PAIRS.items():
        assert float(squared[i, j]) == pytest.approx(value, abs=1e-9)


def test_with_a_bias_feature() -> None:
    g = Gradients(surprise(P), torch.cat([Z, torch.ones(4, 1, dtype=torch.float64)], 1))
    assert_close(g.norms, torch.tensor([0.76, 0.78, 2.80, 0.0156], dtype=torch.float64))


def test_ties_go_to_the_lowest_class() -> None:
    assert_close(surprise(P)[2], torch.tensor([-0.6, 0.4, 0.2], dtype=torch.float64))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 7))
def test_factorised_equals_materialised(seed: int, classes: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    p = torch.softmax(torch.randn(12, classes, generator=generator, dtype=torch.float64), 1)
    z = torch.randn(12, width, generator=generator, dtype=torch.float64)
    g, full = Gradients(surprise(p), z), materialised(p, z)
    assert_close(g.norms, full.square().sum(1), atol=1e-12, rtol=0)
    some = torch.arange(0, 12, 2)
    assert_close(g.squared(g.take(some)), torch.cdist(full[some], full).square(), atol=1e-11, rtol=0)
    bounds = torch.full((12,), torch.inf, dtype=torch.float64)
    g.lower(bounds, g.take(some))
    assert_close(bounds, torch.cdist(full, full[some]).square().amin(1), atol=1e-11, rtol=0)


def test_equal_gradients_are_at_distance_nought() -> None:
    p, z = torch.softmax(torch.randn(1, 9), 1).expand(200, -1), torch.randn(1, 300).expand(200, -1)
    g = Gradients(surprise(p), z)
    assert (g.squared(g.take(torch.tensor([7]))) == 0).all()


def test_among_addresses_a_pool_wide_embedding() -> None:
    z, among = torch.randn(10, 4, dtype=torch.float64), torch.tensor([1, 4, 5, 9])
    a, b = Gradients(surprise(P), z, among), Gradients(surprise(P), z[among])
    assert torch.equal(a.norms, b.norms)
    assert torch.equal(a.squared(a.take(torch.tensor([2]))), b.squared(b.take(torch.tensor([2]))))


def test_the_probabilities_stay_as_they_are() -> None:
    before = P.clone()
    surprise(P)
    surprise(P, torch.tensor([0, 2]))
    assert torch.equal(P, before)


def test_refuses_rows_that_do_not_match() -> None:
    text = r"^expected q \(N, C\) and z \(N, D\) of the same rows, got \(4, 3\) and \(3, 2\)$"
    with pytest.raises(BadShape, match=text):
        Gradients(surprise(P), Z[:3])
