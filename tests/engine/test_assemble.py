"""Recipes from names and numbers: scikit-learn estimators, precision, devices."""

from __future__ import annotations

import json

import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

import askwell as aw
from askwell.core.pool import Form
from askwell.core.recipe import Recipe
from askwell.engine.assemble import assemble
from askwell.engine.device import resolved_device
from askwell.errors import InputError, UnknownName
from askwell.learners import Linear, Net, Sklearn
from askwell.models import MLP
from askwell.schemes import Supervised
from askwell.strategies import Margin, Subsample

VECTORS = Form("vector", (4,))


@pytest.mark.parametrize("word", ["learner", "model"])
@pytest.mark.parametrize(
    "estimator", [RandomForestClassifier, RandomForestClassifier(7), make_pipeline(StandardScaler(), SVC(C=2))]
)
def test_an_estimator_is_a_learner(word, estimator):
    recipe = assemble(form=VECTORS, strategy="margin", **{word: estimator})
    assert recipe.learner == Sklearn.of(estimator)
    assert recipe.scheme is None
    assert Recipe.of(json.loads(json.dumps(recipe.config()))) == recipe


def test_the_class_of_a_part_is_the_part_with_its_usual_settings():
    recipe = assemble(form=VECTORS, strategy=Margin, scheme=Supervised, learner=Net, model=MLP)
    assert recipe == assemble(form=VECTORS, strategy=Margin(), scheme=Supervised(), learner=Net(), model=MLP())
    with pytest.raises(InputError, match=r"subsample chooses nothing by itself: write subsample \| margin"):
        assemble(form=VECTORS, strategy=Subsample)


@pytest.mark.parametrize(
    ("word", "value", "room", "name"),
    [
        ("learner", nn.Linear, "learners", "Linear"),
        ("learner", nn.Linear(4, 2), "learners", "Linear"),
        ("strategy", 3, "strategies", "int"),
        ("scheme", print, "schemes", "builtin_function_or_method"),
    ],
)
def test_what_is_no_part_is_refused_by_its_name(word, value, room, name):
    with pytest.raises(InputError) as caught:
        assemble(form=VECTORS, **{word: value})
    assert str(caught.value) == (
        f"{name} is no part of {room}: give one, or its text; a network of your own goes to `model`"
    )


def test_precision_is_set_on_the_network_that_is_chosen():
    assert assemble(form=VECTORS, precision="bfloat16").learner.precision == "bfloat16"
    recipe = assemble(form=VECTORS, precision="bfloat16", learner=Net(batch=8), model="mlp(width=3)")
    assert (recipe.learner.precision, recipe.learner.batch) == ("bfloat16", 8)
    assert assemble(form=VECTORS).learner.precision == "float32"
    with pytest.raises(UnknownName, match="unknown precision 'float16': did you mean 'bfloat16'"):
        assemble(form=VECTORS, precision="float16")


def test_precision_is_refused_where_there_is_no_network():
    with pytest.raises(InputError) as caught:
        assemble(form=VECTORS, precision="bfloat16", learner="linear")
    assert str(caught.value) == (
        f"precision 'bfloat16' is for networks, and learner {Linear()!r} has none: leave it out"
    )


@pytest.mark.parametrize(("there", "device"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_a_gpu_where_there_is_one(monkeypatch, there, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert resolved_device("auto") == device
    assert resolved_device("cpu") == "cpu"


def test_the_manifest_has_the_device_that_was_found(tmp_path, blobs, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    points, labels = blobs
    project = aw.Project.create(
        tmp_path / "p", points, device="auto", classes=["a", "b", "c"], initial=6, learner="linear"
    )
    assert project.manifest["device"] == "cpu"
    found = [
        aw.run(
            points, labels=labels, device=device, learner=RandomForestClassifier(5), initial=6, batch=6, rounds=1,
            against=None, quiet=True, out=tmp_path / "runs", strategy="margin",
        )
        for device in ("auto", "cpu")
    ]  # fmt: skip
    assert found[0].folder == found[1].folder


def test_regressors_run_from_the_front_door(tmp_path, blobs):
    points, _ = blobs
    numbers = (100 + 3 * points[:, 0]).tolist()
    result = aw.run(
        points, labels=numbers, task="regression", learner=RandomForestRegressor(5), strategy="random", initial=10,
        batch=10, rounds=1, against=None, quiet=True, out=tmp_path,
    )  # fmt: skip
    assert result.less_is_better
    again = aw.run(
        points, labels=numbers, task="regression", model=Ridge(alpha=0.1), strategy="random", initial=10, batch=10,
        rounds=1, against=None, quiet=True, out=tmp_path,
    )  # fmt: skip
    assert again.curves()["random"][0][-1][1] < 0.2
