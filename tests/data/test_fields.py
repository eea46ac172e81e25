"""Windows as Gramian fields, and one user's windows apart from everybody else's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from askwell.data import FieldPool, Grown, leave_out, load
from askwell.data.fields import fields
from askwell.errors import BadShape, InputError, UnknownName
from askwell.functional.gramian import gramian_field
from askwell.recipes import tool_condition
from askwell.strategies import MaxEntropy

WINDOWS = np.cumsum(np.random.default_rng(0).normal(size=(30, 24)), 1).astype(np.float32)


def pictures(pool, *positions):
    return next(pool.items("eval").batches(torch.tensor(positions), len(positions)))[1]


class TestFields:
    def test_a_network_sees_fields_and_people_see_windows(self):
        pool = FieldPool(WINDOWS, side=8)
        seen = pictures(pool, 3, 7)
        torch.testing.assert_close(seen[:, 0], (gramian_field(torch.from_numpy(WINDOWS[[3, 7]]), 8) + 1) / 2)
        assert seen.shape[1:] == pool.form.shape
        assert seen.min() >= 0
        assert seen.max() <= 1
        np.testing.assert_array_equal(pool.item(3), WINDOWS[3])

    def test_the_side_is_part_of_what_the_items_are(self):
        digests = {FieldPool(WINDOWS, side=side).digest for side in (6, 8)} | {load(WINDOWS).pool.digest}
        assert len(digests) == 3

    def test_features_are_those_of_the_fields(self, tmp_path):
        pool = FieldPool(WINDOWS, side=6, cache=tmp_path)
        made = Grown(pool, [pictures(pool, 4)[0].numpy()])
        assert pool.features().shape == (30, 30)
        np.testing.assert_allclose(made.features()[30], pool.features()[4], atol=1e-5)

    def test_fields_are_never_made_all_at_once(self, monkeypatch, tmp_path):
        made = []
        note = lambda windows, side: made.append(len(windows)) or fields(windows, side)  # noqa: E731
        monkeypatch.setattr("askwell.data.fields.fields", note)
        FieldPool(np.tile(WINDOWS, (40, 1)), side=6, cache=tmp_path).features()
        assert max(made) <= 512

    def test_more_windows_like_those_of_a_pool(self):
        pool = FieldPool(WINDOWS, side=6)
        more = FieldPool(WINDOWS[:4] + 1, side=6, like=pool)
        assert more.is_like(pool)
        np.testing.assert_allclose(more.features(), pool.features()[:4], atol=1e-4)
        with pytest.raises(BadShape, match="these items have the form"):
            FieldPool(WINDOWS, side=8, like=pool)

    def test_windows_of_ones_own_are_loaded_as_a_pool(self):
        data = load(FieldPool(WINDOWS, side=6), labels=np.arange(30) % 2)
        assert data.pool.form.shape == (1, 6, 6)

    def test_wrong_windows(self):
        with pytest.raises(BadShape, match=r"^windows have shape \(2, 3, 4\) instead of \(N, T\)$"):
            FieldPool(np.zeros((2, 3, 4), np.float32))
        with pytest.raises(InputError, match=r"^side of a field must lie between 1 and 24 samples, got 32$"):
            FieldPool(WINDOWS)


def test_the_recipe_is_the_cards():
    """Entropy of the mean of 50 draws, ten windows a round."""
    recipe = tool_condition()
    assert (recipe.strategy, recipe.batch) == (MaxEntropy(draws=50), 10)
    assert any(line.startswith("Stand-in data") for line in recipe.deviations)


@pytest.fixture
def data():
    found = load(WINDOWS[np.arange(300) % 30], labels=np.arange(300) % 3)
    return replace(found, groups=np.repeat(["ann", "bob", "cid"], 100))


class TestLeaveOut:
    def test_nobody_is_on_both_sides(self, data):
        others, own = leave_out(data, "bob", stretch=10)
        assert set(data.groups[others.split.candidates]) == {"ann", "cid"}
        assert not len(others.split.test)
        for part in (own.split.candidates, own.split.test):
            assert set(data.groups[part]) == {"bob"}
        assert own.pool is others.pool is data.pool

    def test_stretches_and_gaps(self, data):
        _, own = leave_out(data, "bob", stretch=10, gap=2)
        test = np.concatenate([np.arange(start, start + 10) for start in (120, 150, 180)])
        assert own.split.test.tolist() == test.tolist()
        near = {place for start in (120, 150, 180) for place in (start - 2, start - 1, start + 10, start + 11)}
        assert own.split.candidates.tolist() == sorted(set(range(100, 200)) - set(test.tolist()) - near)

    def test_it_says_what_is_missing(self, data):
        with pytest.raises(InputError, match=r"^arrays does not say which group each item belongs to: set `groups`$"):
            leave_out(replace(data, groups=None), "bob")
        with pytest.raises(UnknownName, match=r"^unknown group 'bop': did you mean 'bob'\? Known: ann, bob, cid$"):
            leave_out(data, "bop")
        with pytest.raises(InputError, match=r"^group bob has 100 labelled items: .* leave none for the test$"):
            leave_out(data, "bob", stretch=50)
        with pytest.raises(InputError, match=r"stretches of 10 and gaps of 60 leave none to ask about$"):
            leave_out(data, "bob", stretch=10, gap=60)
        with pytest.raises(InputError, match=r"^group bob has 0 labelled items: "):
            leave_out(replace(data, labels=np.where(data.groups == "bob", -1, data.labels)), "bob")

    @pytest.mark.parametrize(("stretch", "gap"), [(1, 0), (1, 1), (10, 10), (30, 25)])
    def test_what_may_be_asked_is_all_that_is_further_than_the_gap(self, data, stretch, gap):
        _, own = leave_out(data, "bob", stretch=stretch, gap=gap)
        far = [place for place in range(100, 200) if np.abs(own.split.test - place).min() > gap]
        assert own.split.candidates.tolist() == far

    @pytest.mark.parametrize(("stretch", "gap"), [(0, 1), (10, -1)])
    def test_wrong_stretches_and_gaps(self, data, stretch, gap):
        with pytest.raises(InputError, match=rf"^stretch must be at least 1 and .*, got {stretch} and {gap}$"):
            leave_out(data, "bob", stretch=stretch, gap=gap)


SHELF = Path(os.environ.get("ASKWELL_DATA", "nowhere")) / "ecg_mitbih"


@pytest.mark.skipif(not SHELF.is_dir(), reason="ASKWELL_DATA has no ecg_mitbih")
@pytest.mark.parametrize("record", [208, 209, 215])
def test_no_window_that_is_asked_shares_samples_with_one_of_the_test(record, monkeypatch):
    """Beats follow each other at less than a window's length in these records: a random split would leak."""
    monkeypatch.setenv("ASKWELL_DATA", str(SHELF.parent))
    data = load("ecg_mitbih")
    _, own = leave_out(data, record)
    asked, test = (data.pool.array[part] for part in (own.split.candidates, own.split.test))
    assert not shared(asked, test)
    everything = np.concatenate([own.split.candidates, own.split.test])
    mixed = np.random.default_rng(0).permutation(everything)
    assert shared(data.pool.array[mixed[: len(asked)]], data.pool.array[mixed[len(asked) :]])


@pytest.mark.skipif(not SHELF.is_dir(), reason="ASKWELL_DATA has no ecg_mitbih")
def test_nor_where_a_window_reaches_the_next_but_one(monkeypatch):
    """Record 205 has a run of beats so fast that beats 3378 and 3380 share 52 samples."""
    monkeypatch.setenv("ASKWELL_DATA", str(SHELF.parent))
    data = load("ecg_mitbih")
    assert np.array_equal(data.pool.array[3380][:52], data.pool.array[3378][-52:])
    _, own = leave_out(data, 205)
    assert not shared(data.pool.array[own.split.candidates], data.pool.array[own.split.test], length=24)


def shared(one, other, length=32):
    """Whether a run of this many samples, not all equal, occurs in windows of both."""
    pieces = np.lib.stride_tricks.sliding_window_view(other, length, axis=1)
    known = {piece.tobytes() for piece in pieces.reshape(-1, length) if np.ptp(piece)}
    ends = np.concatenate([one[:, :length], one[:, -length:]])
    return any(end.tobytes() in known for end in ends)
