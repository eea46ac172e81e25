"""Weights from one part of the data, for rounds on another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import askwell as aw
from askwell.core.learner import Job
from askwell.core.seeds import Seeds
from askwell.data import leave_out, load
from askwell.engine.assemble import task_for
from askwell.engine.pretrain import pretrain
from askwell.errors import InputError
from askwell.learners import Net
from askwell.learners.weights import read
from askwell.models import MLP, HARNet
from askwell.recipes import active_harnet
from askwell.schemes import Supervised

FAST = Supervised(steps=60, lr=5e-3)


@pytest.fixture(scope="module")
def parts():
    data = load("digits")
    return leave_out(replace(data, groups=np.arange(len(data)) // 300), 4)


@pytest.fixture(scope="module")
def recipe():
    return replace(active_harnet(), learner=Net(model=MLP(width=32)), scheme=FAST)


@pytest.fixture(scope="module")
def weights(parts, recipe, tmp_path_factory):
    return pretrain(parts[0], recipe, tmp_path_factory.mktemp("weights"))


def accuracy(own, learner):
    test = torch.from_numpy(own.split.test)
    return float((learner.predict(own.pool, test).argmax(1).numpy() == own.labels[own.split.test]).mean())


def fitted(own, recipe, ids):
    task = task_for(recipe, own.classes)
    none = torch.empty(0, dtype=torch.int64)
    learner = recipe.learner.build(own.pool.form, task, recipe.scheme)
    learner.fit(own.pool, Job(ids, task.encode(own.labels[ids].tolist()), none, none, none), Seeds(1))
    return learner


def test_it_is_made_once(parts, recipe, weights, monkeypatch):
    monkeypatch.setattr(Net, "build", lambda *_: pytest.fail("trained again"))
    monkeypatch.setattr("askwell.engine.pretrain.check", lambda *_: None)
    assert pretrain(parts[0], recipe, weights.parent) == weights


def test_other_seeds_and_data_have_files_of_their_own(parts, recipe, weights):
    quick = replace(recipe, scheme=Supervised(steps=1))
    names = {weights, pretrain(parts[0], quick, weights.parent), pretrain(parts[0], quick, weights.parent, seed=1)}
    names.add(pretrain(parts[1], quick, weights.parent))
    assert len(names) == 4


def test_no_label_of_the_new_user_leaves_the_weights_unchanged(parts, recipe, weights):
    """η = 0."""
    warm = replace(recipe, scheme=replace(FAST, policy=("warm", str(weights))))
    state = fitted(parts[1], warm, torch.empty(0, dtype=torch.int64)).state()
    assert all(torch.equal(value, state[key]) for key, value in read(weights).items())


def test_all_labels_are_a_full_fine_tuning(parts, recipe, weights):
    """η = 1: plain training from the given weights, bit for bit, and better on the user than before."""
    own, ids = parts[1], torch.from_numpy(parts[1].split.candidates)
    warm, given = (replace(recipe, scheme=replace(FAST, policy=(kind, str(weights)))) for kind in ("warm", "given"))
    mine, theirs = fitted(own, warm, ids), fitted(own, given, ids)
    assert all(torch.equal(value, theirs.state()[key]) for key, value in mine.state().items())
    assert accuracy(own, mine) > accuracy(own, fitted(own, warm, ids[:0]))


def test_a_run_goes_on_from_them_round_by_round(parts, recipe, weights, tmp_path):
    warm = replace(recipe, scheme=Supervised(steps=1, lr=1e-9, policy=("warm", str(weights))))
    result = aw.run(parts[1], recipe=warm, rounds=1, batch=10, against=None, out=tmp_path, quiet=True)
    before = accuracy(parts[1], fitted(parts[1], warm, torch.empty(0, dtype=torch.int64)))
    assert [round(value, 6) for _, value in result.curves()["active_harnet"][0]] == [round(before, 6)] * 2


def test_a_file_that_is_not_there(parts, recipe, tmp_path):
    lost = replace(recipe, scheme=replace(FAST, policy=("warm", str(tmp_path / "gone.safetensors"))))
    with pytest.raises(InputError, match=r"are not there: give the path of a safetensors file$"):
        fitted(parts[1], lost, torch.tensor([1200, 1201]))


def test_data_without_labels(recipe):
    data = load("digits")
    with pytest.raises(InputError, match=r"^digits has no labels to train on$"):
        pretrain(replace(data, labels=None), recipe)


def test_the_recipe_is_the_cards():
    recipe = active_harnet()
    assert (recipe.strategy.kind, recipe.strategy.draws) == ("mean", 10)
    assert recipe.learner.model == HARNet()
    assert recipe.scheme.policy == "warm"
