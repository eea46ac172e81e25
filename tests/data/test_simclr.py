"""Features that are learnt from the pictures themselves: once, without labels, from the candidates alone."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import askwell as aw
from askwell.core.learner import Job
from askwell.core.scheme import Scheme
from askwell.data import ArrayPool, Grown, load
from askwell.data.serving import Serving, serving_of
from askwell.data.simclr import SimCLR
from askwell.errors import BadData, InputError
from askwell.functional.augment import warp
from askwell.functional.contrastive import nt_xent
from askwell.strategies import Typiclust
from askwell.testing.fakes import FakePool
from askwell.training import rehearse
from askwell.training.contrast import Contrast
from askwell.training.unlabelled import NoLabels, fit_unlabelled


class Quick(SimCLR):
    """Three steps in place of the usual number."""

    def __init__(self):
        super().__init__(steps=3)


QUICK = Quick()


@pytest.fixture
def quick(monkeypatch):
    """Three steps in place of the usual number."""
    monkeypatch.setattr(sys.modules["askwell.data.load"], "SimCLR", Quick)


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3)).astype(np.uint8)


def test_a_changed_picture_is_still_the_same(tmp_path):
    """How often the nearest of 300 digits to a warped one is its own: after 150 steps, and with random weights."""
    found = {}
    for steps in (0, 150):
        pool = ArrayPool(load("digits").pool.array[:300], features=SimCLR(steps=steps), cache=tmp_path)
        x = torch.from_numpy(pool.array)[:, None]
        changed = warp(x, torch.Generator().manual_seed(5)).flatten(1).numpy()
        near = torch.cdist(torch.from_numpy(pool.feature_map(changed)), torch.from_numpy(pool.features()))
        found[steps] = float((near.argmin(1) == torch.arange(300)).float().mean())
    assert found[150] > found[0]


def test_they_are_made_once(quick, pictures, tmp_path, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "askwell"):
        first = load(pictures, features="simclr", cache=tmp_path).pool.features()
    assert [record.getMessage() for record in caplog.records] == ["training an encoder on 60 pictures, 3 steps"]
    assert first.shape == (60, 60)
    monkeypatch.setattr(SimCLR, "_trained", lambda *_: pytest.fail("trained again"))
    again = load(pictures, features="simclr", cache=tmp_path).pool
    np.testing.assert_array_equal(again.features(), first)
    made = Grown(again, [pictures[7].transpose(2, 0, 1) / 255])
    np.testing.assert_allclose(made.features()[60], first[7], atol=1e-5)


def test_loading_trains_nothing(quick, pictures, monkeypatch):
    monkeypatch.setattr(SimCLR, "_trained", lambda *_: pytest.fail("trained"))
    load(pictures, features="simclr")


def test_only_candidates_are_learnt_from(quick, pictures, tmp_path):
    y = np.arange(60) % 3
    data = load(pictures, labels=y, test_size=15, features="simclr", cache=tmp_path / "one")
    spoilt = pictures.copy()
    spoilt[data.split.test] = 0
    other = load(spoilt, labels=y, test_size=15, features="simclr", cache=tmp_path / "two")
    np.testing.assert_array_equal(
        data.pool.features()[data.split.candidates], other.pool.features()[data.split.candidates]
    )


def test_large_pictures_are_seen_small(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (20, 70, 48, 3)).astype(np.uint8)
    pool = type(load(pictures).pool)(pictures, features=QUICK, cache=tmp_path)
    assert pool.feature_map.shape.tolist() == [3, 23, 16]
    assert pool.features().shape == (20, 20)


def test_more_items_are_described_by_the_same_encoder(quick, pictures, tmp_path):
    data = load(pictures, features="simclr", cache=tmp_path)
    more = load(pictures[:5], features="simclr", cache=tmp_path, like=data.pool)
    np.testing.assert_allclose(more.pool.features(), data.pool.features()[:5], atol=1e-6)
    with pytest.raises(BadData, match=r"^features of these items are learnt otherwise than those of the pool$"):
        load(pictures[:5], features="simclr", cache=tmp_path, like=load(pictures, cache=tmp_path).pool)


def test_an_encoder_can_be_written_down_and_read(quick, pictures, tmp_path):
    pool = load(pictures, features="simclr", cache=tmp_path).pool
    serving = serving_of(pool, features=True)
    for name, content in serving.files().items():
        (tmp_path / name).write_bytes(content)
    again = Serving.read(tmp_path, tmp_path)
    np.testing.assert_allclose(again.map(pool._raw(slice(0, 4))), pool.features()[:4], atol=1e-6)


def test_they_are_part_of_what_the_data_are(quick, pictures):
    assert load(pictures, features="simclr").digest != load(pictures).digest
    data = load("digits", features="simclr")
    assert data.options["features"] == "simclr"
    assert load(data.source, **data.options).digest == data.digest


def test_typiclust_starts_cold_on_them(quick, tmp_path):
    result = aw.run(
        "digits", strategy="typiclust", start="typiclust", features="simclr", pool_size=200, test_size=100, initial=10,
        batch=5, rounds=1, against=None, model="mlp(width=8)", scheme="supervised(steps=5)", cache=tmp_path / "cache",
        out=tmp_path, quiet=True,
    )  # fmt: skip
    assert [labels for labels, _ in result.curves()["typiclust"][0]] == [10, 15]
    assert Typiclust().needs[0].name == "features"


@pytest.mark.parametrize(
    ("items", "form"),
    [(np.zeros((9, 4), np.float32), "vector"), (["a cat", "a dog"] * 5, "tokens"), (np.zeros((9, 3, 3)), "image")],
)
def test_items_that_are_no_pictures(items, form):
    with pytest.raises(BadData, match=rf"^features 'simclr' are for pictures of at least 4x4 pixels, and .*'{form}'"):
        load(items, features="simclr")


class TestFitWithoutLabels:
    def test_two_views_of_every_item_and_no_label(self):
        pool = FakePool(torch.rand(40, 1, 8, 8))
        fitted = fit_unlabelled(Contrast(steps=4, size=8), pool, torch.arange(40), {"net": net}, _seeds())
        assert fitted.report.steps == 4
        assert fitted.report.updates == {"net": 4}
        opened = fit_unlabelled(Contrast(steps=1, size=8), pool, torch.arange(40), {"net": net}, _seeds()).run
        assert opened.facts.n_labelled == 0
        assert opened.facts.n_unlabelled == 40

    @pytest.mark.parametrize("n", [1, 5, 40])
    def test_no_item_comes_twice_in_a_step_of_few(self, n):
        """A copy of an item would be pushed away from it as if it were another."""
        pool, seen = FakePool(torch.rand(40, 1, 8, 8)), []
        small = replace(Contrast(steps=2), augment=())
        ids = torch.arange(n)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(
                "askwell.training.contrast.nt_xent", lambda one, *rest: seen.append(len(one)) or nt_xent(one, *rest)
            )
            fit_unlabelled(small, pool, ids, {"net": net}, _seeds())
        assert set(seen) == {n}

    def test_the_views_are_two_changed_ones(self):
        pool, none = FakePool(torch.rand(40, 1, 8, 8)), torch.empty(0, dtype=torch.int64)
        job = Job(none, none, torch.arange(40), none, none)
        written = json.loads(rehearse(Contrast(steps=2, size=8), pool, job, NoLabels(), {"net": net}, _seeds()))
        assert written["streams"]["views of net"]["views"] == [["warp", "jitter"], ["warp", "jitter"]]

    def test_the_loss_falls_from_that_of_views_that_say_nothing(self):
        pool = FakePool(torch.rand(64, 1, 8, 8))
        losses = [
            fit_unlabelled(Contrast(steps=steps, size=32), pool, torch.arange(64), {"net": net}, _seeds()).report.losses
            for steps in (1, 60)
        ]
        assert losses[1]["net"] < losses[0]["net"]

    def test_no_item_is_no_step_that_moves_anything(self):
        pool = FakePool(torch.rand(4, 1, 8, 8))
        none = torch.empty(0, dtype=torch.int64)
        one, other = (
            fit_unlabelled(Contrast(steps=steps), pool, none, {"net": net}, _seeds()).modules.net.state_dict()
            for steps in (0, 2)
        )
        assert all(torch.equal(value, other[key]) for key, value in one.items())

    def test_a_scheme_that_reads_labels_is_refused(self):
        from askwell.schemes import Supervised

        scheme: Scheme = Supervised(steps=1)
        with pytest.raises(InputError, match=r"reads labelled, and without labels there is 'unlabelled' alone$"):
            fit_unlabelled(scheme, FakePool(torch.rand(4, 1, 8, 8)), torch.arange(4), {"net": net}, _seeds())

    def test_there_is_nothing_to_say_about_labels(self):
        task = NoLabels()
        assert task.metrics(torch.empty(0), torch.empty(0)) == {}
        assert task.decide(torch.empty(3, 0)) == []
        with pytest.raises(aw.errors.BadLabel, match=r"^items of a fit without labels have no label, got 3$"):
            task.encode([3])
        with pytest.raises(InputError, match=r"^a fit without labels has no loss of a task"):
            task.loss(torch.empty(0), torch.empty(0))

    def test_wrong_settings(self):
        with pytest.raises(InputError, match=r"^size of Contrast must be at least 2, got 1$"):
            Contrast(size=1)
        with pytest.raises(aw.errors.UnknownName, match=r"^unknown augmentation 'wrap': did you mean 'warp'\?"):
            replace(Contrast(), augment=("wrap",))


def net():
    from askwell.core.pool import Form
    from askwell.models.encoder import Encoder

    return Encoder(channels=8, width=16).build(Form("image", (1, 8, 8)), 8)


def _seeds():
    from askwell.core.seeds import Seeds

    return Seeds(0)
