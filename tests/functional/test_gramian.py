"""Gramian fields and wavelet halves: worked numbers, and those of pyts 0.14.1 and PyWavelets 1.8.0."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from askwell.errors import BadShape, InputError
from askwell.functional.gramian import gramian_field
from askwell.functional.wavelet import DB4, approximation

SIGNAL = torch.tensor([[0.3, 1.2, -0.7, 2.0, 0.1, 0.5]], dtype=torch.float64)


def test_the_cards_window():
    field = gramian_field(torch.tensor([[-1.0, 0.0, 1.0]]))
    assert_close(field, torch.tensor([[[1.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 1.0]]]))


def test_the_field_of_pyts():
    """GramianAngularField(image_size=3); on 200 random windows the largest difference was 3.7e-8."""
    theirs = torch.tensor(
        [[1.0, 0.55555556, -1.0], [0.55555556, -0.38271605, -0.55555557], [-1.0, -0.55555557, 1.0]], dtype=torch.float64
    )
    assert_close(gramian_field(SIGNAL, 3)[0], theirs, atol=1e-7, rtol=0)


@given(st.integers(0, 1000), st.integers(2, 12))
def test_it_is_the_cosine_of_the_sum_of_angles(seed, length):
    x = torch.randn(3, length, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    low, high = x.min(1, keepdim=True).values, x.max(1, keepdim=True).values
    angles = (2 * (x - low) / (high - low) - 1).clamp(-1, 1).arccos()
    field = gramian_field(x)
    assert_close(field, (angles[:, :, None] + angles[:, None, :]).cos(), atol=1e-7, rtol=0)
    assert_close(field.diagonal(dim1=1, dim2=2), 2 * angles.cos().square() - 1, atol=1e-7, rtol=0)
    assert_close(field, field.transpose(1, 2))


def test_a_constant_window_is_finite():
    field = gramian_field(torch.tensor([[3.0, 3.0, 3.0], [1.0, 2.0, 3.0]]))
    assert_close(field[0], torch.full((3, 3), -1.0))
    assert bool(field.isfinite().all())
    assert bool(gramian_field(torch.full((1, 4), -7.0), 2).eq(-1).all())


@pytest.mark.parametrize(("value", "length", "side"), [(0.1, 187, 32), (1.7, 10, 7), (123.456, 17, 5)])
def test_a_constant_window_is_one_whatever_its_spans_are_rounded_to(value, length, side):
    assert bool(gramian_field(torch.full((1, length), value), side).eq(-1).all())


def test_scale_and_place_of_a_window_do_not_matter():
    assert_close(gramian_field(SIGNAL), gramian_field(40 * SIGNAL - 9))


def test_wrong_windows():
    with pytest.raises(BadShape, match=r"^windows have shape \(3,\) instead of \(n, T\)$"):
        gramian_field(torch.ones(3))
    with pytest.raises(InputError, match=r"^side of a field must lie between 1 and the window's 6 samples, got 7$"):
        gramian_field(SIGNAL, 7)


class TestApproximation:
    def test_the_coefficients_of_pywavelets(self):
        """dwt(x, "db4", "periodization"); on 200 random signals the largest difference was 2.2e-14."""
        theirs = torch.tensor([62.46979889, 11.05817617, 6.36563772, 19.10133658], dtype=torch.float64)
        assert_close(approximation(torch.arange(8.0, dtype=torch.float64) ** 2), theirs, atol=1e-7, rtol=0)

    def test_the_filter_is_orthonormal(self):
        low = torch.tensor(DB4, dtype=torch.float64)
        assert_close(low.sum(), torch.tensor(2.0, dtype=torch.float64).sqrt())
        for shift in range(4):
            product = (low[2 * shift :] * low[: 8 - 2 * shift]).sum()
            assert_close(product, torch.tensor(float(shift == 0), dtype=torch.float64), atol=1e-10, rtol=0)

    def test_levels_halve_again(self):
        x = torch.randn(2, 3, 64)
        assert_close(approximation(x, 2), approximation(approximation(x)))
        assert torch.equal(approximation(x, 0), x)

    def test_no_signals_are_no_coefficients(self):
        assert approximation(torch.empty(0, 3, 64), 2).shape == (0, 3, 16)

    def test_odd_lengths_are_refused(self):
        with pytest.raises(BadShape, match=r"^a signal of 9 samples cannot be halved: "):
            approximation(torch.ones(1, 9))
