"""Runs and projects with saved models, fine-tuned and frozen: from a path to a curve, and back after a restart."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import askwell as aw
from askwell.core.recipe import Recipe
from askwell.data import load
from askwell.engine.assemble import assemble
from askwell.engine.saved import frozen
from askwell.engine.status import status
from askwell.errors import BadData
from askwell.learners import Linear, Net, Transformer
from askwell.recipes import margin
from askwell.schemes import VAAL, Supervised

pytest.importorskip("transformers")

from saved_models import save, text_config

QUICK = {"initial": 6, "batch": 4, "rounds": 1, "quiet": True}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def texts(tmp_path):
    """A table of 60 texts of two kinds."""
    rng = np.random.default_rng(0)
    rows = [
        (" ".join(f"w{word + 12 * (place % 2)}" for word in rng.integers(0, 12, 6)), place % 2) for place in range(60)
    ]
    file = tmp_path / "texts.csv"
    file.write_text("text,label\n" + "".join(f"{text},{'ab'[label]}\n" for text, label in rows))
    return {"data": file, "text": "text", "label": "label", "test_size": 20}


def test_a_folder_is_fine_tuned(texts, text_model, tmp_path):
    scheme = Supervised(steps=20, batch=8, lr=5e-3)
    result = aw.run(**texts, model=str(text_model), scheme=scheme, out=tmp_path / "runs", **QUICK)
    assert [labels for labels, _ in result.curves()["margin"][0]] == [6, 10]
    assert (result.folder / "seed-0" / "project.json").is_file()


def test_bald_runs_on_a_folder(texts, text_model, tmp_path):
    scheme = Supervised(steps=2, batch=4)
    result = aw.run(
        **texts, strategy="bald", model=text_model, scheme=scheme, against=None, out=tmp_path / "runs", **QUICK
    )
    assert list(result.curves()) == ["bald"]


def test_frozen_features_get_a_linear_head(texts, text_model, tmp_path):
    result = aw.run(**texts, features=str(text_model), start="typiclust", out=tmp_path / "runs", **QUICK)
    project = aw.Project.open(result.folder / "seed-0")
    assert isinstance(project.recipe.learner, Linear)
    assert project.recipe.scheme is None
    assert project.pool.features().shape == (60, 16)


def test_a_project_reopens_by_itself_and_repeats(texts, text_model, tmp_path):
    source = texts.pop("data")
    scheme = Supervised(steps=3, batch=4, lr=5e-3)
    project = aw.Project.create(
        tmp_path / "one", source, loading=texts, model=str(text_model), scheme=scheme, initial=6
    )
    for question in project.ask(6):
        project.tell(question.id, "ab"[question.position % 2])
    project.train()
    asked = [question.key for question in project.ask(4)]
    project.close()
    again = aw.Project.open(tmp_path / "one")
    assert [question.key for question in again.ask(4)] == asked
    assert again.recipe.learner == Transformer(str(text_model))


@pytest.mark.parametrize("use", ["model", "features"])
def test_a_changed_folder_is_noticed_on_opening(use, texts, tmp_path):
    folder = save(tmp_path / "model", text_config())
    source = texts.pop("data")
    given = {"model": str(folder)} if use == "model" else {}
    loading = texts if use == "model" else {**texts, "features": str(folder)}
    aw.Project.create(tmp_path / "one", source, loading=loading, initial=6, **given).close()
    save(folder, text_config(), seed=1)
    with pytest.raises(aw.errors.AskwellError) as caught:
        aw.Project.open(tmp_path / "one")
    assert "changed" in str(caught.value)


def test_what_a_folder_brings_with_it(texts, text_model):
    data = load(texts.pop("data"), **texts, features=text_model)
    form, one = data.pool.form, Transformer(str(text_model))
    tuned = assemble(form=form, model=str(text_model))
    assert (tuned.learner, tuned.scheme) == (one, one.fine_tuning())
    assert assemble(form=form, learner=one, strategy="badge").scheme == one.fine_tuning()
    assert assemble(form=form, model=text_model, scheme="supervised(lr=0.1)").scheme == Supervised(lr=0.1)
    assert isinstance(assemble("vaal", form=form, model=text_model).scheme, VAAL)
    assert frozen(data)
    assert assemble(form=form, frozen=True).learner == Linear()
    assert assemble("badge", form=form, frozen=True).learner == Linear()


@pytest.mark.parametrize(
    "given", [{"learner": "net"}, {"model": "text_cnn"}, {"scheme": "supervised"}, {"recipe": margin()}]
)
def test_frozen_features_leave_alone_what_was_asked_for(given):
    form = load(["a b", "c d"]).pool.form
    made = assemble(form=form, frozen=True, **given)
    assert isinstance(made, Recipe)
    assert isinstance(made.learner, Net)


def test_arrays_are_no_frozen_model():
    assert not frozen(load(np.zeros((4, 2), np.float32), features=np.zeros((4, 3), np.float32)))


def test_a_model_path_that_is_not_there(texts, tmp_path):
    with pytest.raises(BadData) as caught:
        aw.run(**texts, model=f"{tmp_path}/none")
    assert str(caught.value) == f"there is no model folder {tmp_path}/none"


@pytest.mark.slow
def test_twenty_rounds_on_five_thousand_texts_do_not_grow_memory(text_model, tmp_path):
    script = Path(__file__).with_name("memory_of_rounds.py")
    found = subprocess.run(
        [sys.executable, str(script), str(text_model), str(tmp_path / "one")],
        capture_output=True,
        text=True,
        check=True,
    )
    early, late = map(float, found.stdout.split())
    assert late < 1.05 * early + 20, f"{early:.0f} MB after round 3 and {late:.0f} MB after round 20"


def test_status_needs_no_model_folder(text_model, tmp_path):
    folder = shutil.copytree(text_model, tmp_path / "bert")
    texts = [f"w{place} w{place % 2}" for place in range(20)]
    with aw.Project.create(tmp_path / "p", texts, classes=["a", "b"], model=str(folder), initial=4) as project:
        project.ask(4)
    shutil.rmtree(folder)
    assert status(tmp_path / "p")["items"]["out"] == 4
