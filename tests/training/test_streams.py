"""Streams: whole passes, exact sizes, proportions, and places that can be restored."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_parts import blobs

from askwell.core.scheme import Draw
from askwell.core.seeds import Seeds
from askwell.testing.fakes import FakePool
from askwell.training.streams import FitStream, Source

ITEMS = FakePool(blobs()[0]).items("eval")


def stream(draw, size, seed=0):
    return FitStream(draw, size, [Source(ITEMS, lambda x, rng: x)], Seeds(seed), lambda: None)


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 40), size=st.integers(1, 50))
def test_every_pass_shows_every_item_once(n, size):
    one = stream(Draw(torch.arange(n)), size)
    taken = [one.next().ids for _ in range(-(-3 * n // size))]
    assert {len(ids) for ids in taken} == {size}
    passes = torch.cat(taken)[: 3 * n].view(3, n)
    assert torch.equal(passes.sort(1).values, torch.arange(n).expand(3, n))


def test_rows_belong_together():
    x, y = blobs()
    ids = torch.arange(5, 30)
    rows = stream(Draw(ids, y[ids], ids.float()), 12).next()
    assert torch.equal(rows.x, x[rows.ids])
    assert torch.equal(rows.y, y[rows.ids])
    assert torch.equal(rows.w, rows.ids.float())


def test_proportions():
    one = stream(Draw(torch.arange(4), p=torch.tensor([0.0, 1.0, 3.0, 0.0])), 50)
    counts = torch.bincount(torch.cat([one.next().ids for _ in range(80)]), minlength=4)
    assert counts[0] == counts[3] == 0
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.15)


@given(before=st.integers(0, 40))
@settings(deadline=None, max_examples=20)
def test_a_restored_stream_goes_on(before):
    one, other = stream(Draw(torch.arange(7)), 3), stream(Draw(torch.arange(7)), 3)
    for _ in range(before):
        one.next()
    other.restore(one.state())
    for _ in range(40):
        assert torch.equal(one.next().ids, other.next().ids)


def test_views_have_generators_of_their_own():
    def noise(x, rng):
        return x + torch.rand(x.shape, generator=rng)

    one = FitStream(Draw(torch.arange(5)), 5, [Source(ITEMS, noise)] * 2, Seeds(0), lambda: None)
    first, second = one.next().views
    assert not torch.equal(first, second)
