"""Bad input gets one clear sentence, and nothing is lost or half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import askwell as aw
from askwell.data import load
from askwell.engine.project import Project
from askwell.errors import (
    BadData,
    BadLabel,
    BadShape,
    Conflict,
    InputError,
    NeverAsked,
    NotFinite,
    PoolExhausted,
    ProjectError,
    UnknownName,
    UnmetNeeds,
)


@pytest.fixture
def project(tmp_path, blobs):
    points, labels = blobs
    data = load(points, labels=labels, classes=["a", "b", "c"])
    made = Project.create(tmp_path / "p", data, initial=6, batch=5, model="mlp(width=8)", scheme="supervised(steps=20)")
    yield made
    made.close()


def sentence(error, call):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_an_unknown_strategy_offers_the_nearest_and_writes_nothing(tmp_path):
    text = sentence(UnknownName, lambda: aw.run("digits", strategy="badg", out=tmp_path))
    assert text.startswith("unknown strategy 'badg': did you mean 'badge'? Known: ")
    assert list(tmp_path.iterdir()) == []


def test_a_budget_above_the_pool_is_refused_before_anything_runs(tmp_path):
    call = lambda: aw.run("digits", strategy="margin", initial=100, batch=100, rounds=20, out=tmp_path)  # noqa: E731
    assert sentence(InputError, call) == "the budget of 2100 items (100 + 20 x 100) is larger than the pool of 1438"
    assert list(tmp_path.iterdir()) == []


def test_unmet_needs_are_named(tmp_path):
    call = lambda: aw.run("digits", strategy="bald", model="mlp(dropout=0.0)", out=tmp_path)  # noqa: E731
    assert "recipe 'bald': strategy 'bald' needs mc_probs(draws=20); there is" in sentence(UnmetNeeds, call)


def test_an_unknown_setting_of_a_part_is_refused(tmp_path):
    call = lambda: aw.run("digits", strategy="bald(drawz=5)", out=tmp_path)  # noqa: E731
    assert (
        sentence(UnknownName, call)
        == "unknown setting of strategies 'bald': 'drawz': did you mean 'draws'? Known: draws"
    )


def test_data_without_labels_cannot_be_simulated(tmp_path, blobs):
    call = lambda: aw.run(blobs[0], classes=["a", "b"], strategy="margin", out=tmp_path)  # noqa: E731
    assert "has no labels to simulate with: use Project.create, ask and tell" in sentence(InputError, call)


def test_an_id_told_twice_with_different_labels_is_a_conflict(project):
    question = project.ask(1)[0]
    first = project.tell(question.id, "a")
    assert project.tell(question.id, "a") == first
    sentence(Conflict, lambda: project.tell(question.id, "b"))
    assert [vote.value for vote in project.store.votes()] == ["a"]
    project.correct(question.id, "b")
    assert [vote.value for vote in project.store.votes()] == ["b"]


def test_an_item_that_was_never_asked_cannot_be_told(project):
    sentence(NeverAsked, lambda: project.tell(99, "a"))
    assert list(project.store.votes()) == []


def test_a_volunteered_label_is_kept_apart(project):
    key = project.pool.keys([int(project.data.split.candidates[0])])[0]
    project.volunteer(key, "b")
    assert [vote.volunteered for vote in project.store.votes()] == [True]
    assert int(project.data.split.candidates[0]) not in project.store.unasked


def test_a_label_outside_the_classes_records_nothing(project):
    question = project.ask(1)[0]
    assert sentence(BadLabel, lambda: project.tell(question.id, "d")) == "label 'd' is not a class. Classes: a, b, c"
    assert list(project.store.votes()) == []


def test_training_without_labels_says_what_to_do(project):
    assert sentence(InputError, project.train) == "there is no label to train on: answer at least one question first"


def test_asking_at_the_end_of_the_pool_gives_what_is_left(project, caplog):
    size = len(project.store.unasked)
    assert len(project.ask(size + 7)) == size
    assert f"asked for {size + 7} items, {size} are left" in caplog.text


def test_a_project_of_a_newer_askwell_is_refused(project):
    file = project.folder.path / "project.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    assert "was written by a newer askwell" in sentence(ProjectError, lambda: Project.open(project.folder.path))


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    assert "is not an askwell project" in sentence(ProjectError, lambda: Project.open(tmp_path))


def test_changed_data_are_refused(project, blobs):
    points = blobs[0] + 1
    call = lambda: Project.open(project.folder.path, load(points, labels=blobs[1], classes=["a", "b", "c"]))  # noqa: E731
    assert "have changed" in sentence(ProjectError, call)


def test_a_folder_in_use_is_not_overwritten(project):
    assert "is not empty" in sentence(ProjectError, lambda: Project.create(project.folder.path, "digits"))


def test_a_read_only_store_answers_but_does_not_record(project, blobs):
    question = project.ask(1)[0]
    project.close()
    data = load(blobs[0], labels=blobs[1], classes=["a", "b", "c"])
    with Project.open(project.folder.path, data, mode="ro") as again:
        assert again.status()["items"]["out"] == 1
        sentence(ProjectError, lambda: again.tell(question.id, "a"))


@pytest.mark.parametrize(
    ("arrays", "error", "text"),
    [
        ({"probs": [[0.5, 0.7]]}, InputError, "probs are not probabilities: row 0 sums to 1.2000"),
        ({"probs": [[np.nan, 0.5]]}, InputError, "probs are not probabilities: row 0 sums to nan"),
        ({"probs": [0.5, 0.5]}, BadShape, "probs has shape (2,): 2 axes are needed"),
        ({"probs": [[1, 0]]}, BadShape, "probs holds torch.int64: floating-point numbers are needed"),
        (
            {"probs": [[0.5, 0.5]], "ids": [1, 2]},
            BadShape,
            "the arrays disagree on the number of items: probs 1, ids 2",
        ),
        ({"probs": [[0.5, 0.5]] * 2, "ids": [7, 7]}, InputError, "ids are not unique: [7] occur more than once"),
        ({"probs": "nowhere.npy"}, BadData, "probs: there is no file nowhere.npy"),
        ({"embedding": [[0.5, 0.5]]}, UnmetNeeds, "strategy 'margin' needs probs: give probs="),
        (
            {},
            InputError,
            "nothing to choose from: give at least one of probs, label_probs, predictions, embedding, ids",
        ),
    ],
)
def test_select_refuses_bad_arrays(arrays, error, text):
    assert sentence(error, lambda: aw.select("margin", n=1, **arrays)).startswith(text)


def test_select_refuses_nan_embeddings_and_too_many_items():
    assert "embedding holds NaN or infinity in 1 rows" in sentence(
        NotFinite, lambda: aw.select("coreset", n=1, embedding=[[0.0, 1.0], [np.inf, 0.0]])
    )
    assert sentence(PoolExhausted, lambda: aw.select("random", n=3, ids=[4, 5])) == (
        "cannot choose 3 items from 2 candidates: ask for 1 to 2"
    )


def test_draws_that_do_not_match_name_the_fix():
    mc = np.full((4, 7, 2), 0.5)
    assert "write bald(draws=7)" in sentence(BadShape, lambda: aw.select("bald", n=1, mc_probs=mc))
    assert len(aw.select("bald(draws=7)", n=2, mc_probs=mc)) == 2


FULL = """
    import resource, signal, sys
    from askwell.engine.run import run
    from askwell.errors import NotWritable
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    settings = dict(strategy="margin", initial=10, batch=10, rounds=3, against=None, quiet=True, threads=1,
                    model="mlp(width=16)", scheme="supervised(steps=20)", out=sys.argv[1])
    if sys.argv[2] != "0":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    try:
        print(run("digits", **settings).curves()["margin"][0])
    except NotWritable as error:
        print("refused:", error)
"""


@pytest.mark.parametrize("limit", [6_000, 60_000, 90_000])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(tmp_path, limit):
    def attempt(out, size):
        script = textwrap.dedent(FULL)
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", script, str(out), str(size)], capture_output=True, text=True, check=False, env=env
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    assert attempt(tmp_path / "run", limit).startswith("refused: ")
    assert attempt(tmp_path / "run", 0) == attempt(tmp_path / "other", 0)
