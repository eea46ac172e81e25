"""Variance over draws."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional import variance


def test_worked_numbers() -> None:
    """Draws 1, 2, 6: mean 3, squares 4 + 1 + 9, over 3. Targets add up."""
    mc = torch.tensor([[[1.0, 0.0], [2.0, 0.0], [6.0, 3.0]], [[5.0, 1.0], [5.0, 1.0], [5.0, 1.0]]])
    assert variance(mc[..., :1]).tolist() == pytest.approx([14 / 3, 0])
    assert variance(mc).tolist() == pytest.approx([14 / 3 + 2, 0])


def test_one_draw_says_nothing() -> None:
    assert variance(torch.randn(5, 1, 1)).tolist() == [0] * 5


def test_numbers_far_from_zero() -> None:
    mc = 1e4 + torch.rand(100, 8, 1, generator=torch.Generator().manual_seed(0))
    assert_close(variance(mc), mc.double().var(1, correction=0)[:, 0].float(), rtol=1e-2, atol=0)
    assert variance(mc.half()).dtype == torch.float16


def test_refuses_another_shape() -> None:
    with pytest.raises(BadShape, match=r"^expected a floating-point tensor \(N, K, T\), got shape \(3, 4\)"):
        variance(torch.zeros(3, 4))
