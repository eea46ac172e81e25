"""The tiny network of windows: its size, its shapes, and that its dropout reaches the outputs."""

from __future__ import annotations

import pytest
import torch

from askwell.core.pool import Form
from askwell.errors import InputError
from askwell.models import HARNet


def size(net):
    return sum(weights.numel() for weights in net.parameters())


FORMS = [Form("vector", (256,)), Form("image", (1, 3, 128)), Form("image", (1, 6, 256))]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: str(form.shape))
def test_it_is_smaller_than_40000_weights(form):
    net = HARNet().build(form, 6)
    assert size(net) < 40_000
    x = torch.randn(4, *form.shape)
    z, taps = net.embed(x)
    assert (z.shape, len(taps), net(x).shape) == ((4, 8), 4, (4, 6))
    assert net.eval()(x[:0]).shape == (0, 6)


def test_axes_have_filters_of_their_own():
    """What is fed to one axis moves no other axis's features before they are brought together."""
    net = HARNet().build(Form("image", (1, 2, 64)), 3).eval()
    x = torch.randn(2, 1, 2, 64)
    changed = x.clone()
    changed[:, :, 1] += 1
    before, after = (net.embed(one)[1][0] for one in (x, changed))
    assert torch.equal(before[:, :16], after[:, :16])
    assert not torch.equal(before[:, 16:], after[:, 16:])


def test_every_draw_is_another_function():
    """The released network lets its last hidden layer read past the dropout: there all draws are equal."""
    net = HARNet(dropout=0.5).build(Form("vector", (64,)), 3).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.train()
    x = torch.randn(8, 64)
    assert not torch.equal(net(x), net(x))


@pytest.mark.parametrize("shape", [(3, 8, 64), (1, 2, 30), (1, 2, 33)])
def test_what_it_does_not_take(shape):
    with pytest.raises(InputError, match=r"takes windows \(T,\) or \(1, S, T\) with T a multiple of 2 and at least 32"):
        HARNet().build(Form("image", shape), 3)
