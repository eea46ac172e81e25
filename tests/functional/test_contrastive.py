"""NT-Xent: its numbers, its symmetries, and the value of views that say nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from askwell.errors import BadShape, InputError
from askwell.functional.contrastive import nt_xent


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def plain(one, other, temperature):
    """The paper's formula, view by view."""
    z = [F.normalize(row, dim=0) for row in [*one, *other]]
    n, losses = len(one), []
    for i in range(2 * n):
        near = [math.exp(float(z[i] @ z[j]) / temperature) for j in range(2 * n)]
        losses.append(-math.log(near[(i + n) % (2 * n)] / sum(near[j] for j in range(2 * n) if j != i)))
    return torch.tensor(losses)


def test_worked_numbers():
    """Two items, views along two axes: −log(e / (e + 2)) at temperature 1, −log(e² / (e² + 2)) at one half."""
    for temperature, wanted in ((1.0, 0.551445), (0.5, 0.239545)):
        assert nt_xent(torch.eye(2), torch.eye(2), temperature).tolist() == pytest.approx([wanted] * 4, abs=1e-5)


def test_it_is_the_formula():
    for seed in range(20):
        one, other = (torch.randn(5, 3, generator=rng(seed + place)) for place in (0, 100))
        assert_close(nt_xent(one, other, 0.3), plain(one, other, 0.3), atol=1e-4, rtol=0)


def test_views_that_say_nothing_cost_the_logarithm_of_all_others():
    assert_close(nt_xent(torch.ones(8, 4), torch.ones(8, 4)), torch.full((16,), math.log(15)))
    wide = nt_xent(*(torch.randn(64, 4096, generator=rng(seed)) for seed in (0, 1)), 1.0)
    assert float(wide.mean()) == pytest.approx(math.log(127), abs=0.02)


def test_items_may_be_permuted_and_views_swapped():
    one, other = (torch.randn(6, 4, generator=rng(seed)) for seed in (0, 1))
    losses, order = nt_xent(one, other), torch.randperm(6, generator=rng(2))
    assert_close(nt_xent(one[order], other[order]), losses.view(2, 6)[:, order].flatten())
    assert_close(nt_xent(other, one), losses.view(2, 6).flip(0).flatten())


def test_it_pulls_views_together_and_pushes_items_apart():
    one, other = torch.tensor([[1.0, 0.2], [0.2, 1.0]]).requires_grad_(), torch.tensor([[1.0, -0.2], [-0.2, 1.0]])
    nt_xent(one, other).sum().backward()
    moved = one.detach() - 0.1 * one.grad
    near = lambda a, b: F.cosine_similarity(a, b)  # noqa: E731
    assert bool((near(moved, other) > near(one.detach(), other)).all())
    assert bool((near(moved, other.flip(0)) < near(one.detach(), other.flip(0))).all())


def test_one_item_has_nothing_to_be_told_from():
    assert_close(nt_xent(torch.ones(1, 3), torch.ones(1, 3)), torch.zeros(2))


def test_wrong_input():
    with pytest.raises(BadShape, match=r"^views have shapes \(2, 3\) and \(3, 3\) instead of \(n, D\) twice$"):
        nt_xent(torch.ones(2, 3), torch.ones(3, 3))
    with pytest.raises(InputError, match=r"^temperature must be above 0, got 0$"):
        nt_xent(torch.ones(2, 3), torch.ones(2, 3), 0)
