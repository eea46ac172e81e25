"""Streams through runs and projects: one pass, a budget, a memory in the store, and items that arrive from outside."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import askwell as aw
from askwell.core.view import Batch
from askwell.data import load
from askwell.errors import BadShape, Conflict, ProjectError, UnmetNeeds

STRATEGY = "stream(strategy=margin, manager=variable(budget=0.2, spent=counted), order=arrival)"
SETTINGS = {"strategy": STRATEGY, "learner": "linear", "initial": 12, "batch": 5}


@pytest.fixture
def data(blobs):
    return load(blobs[0], labels=blobs[1], classes=["a", "b", "c"])


@pytest.fixture
def project(tmp_path, blobs):
    made = aw.Project.create(tmp_path / "p", blobs[0][:200:2], classes=["a", "b", "c"], **SETTINGS)
    yield made
    made.close()


def tell(project, questions):
    for question in questions:
        if question is not None:
            corner = np.argmin([np.abs(question.item - corner).sum() for corner in ([0, 0], [4, 0], [0, 4])])
            project.tell(question.id, "abc"[corner])


def started(project):
    tell(project, project.ask(12))
    project.train()
    return project


def test_a_run_ends_with_its_items_within_its_budget(tmp_path, data):
    result = aw.run(data, rounds=20, out=tmp_path, quiet=True, seeds=2, **SETTINGS)
    assert result.stopped == {result_name(result): "the end of its items"}
    stream, random = result.arms.values()
    for seed, reports in enumerate(stream):
        with aw.Project.open(result.folder / f"seed-{seed}", data) as project:
            met = len(project.data.split.candidates) - 12
            state = project.store.state
            assert state["seen"] == state["manager"]["seen"] == met
            assert reports[-1].labels - 12 == state["manager"]["asked"] <= 0.2 * met + 1
            asked = [row.item for row in project.store.questions()]
            assert len(set(asked)) == len(asked)
    assert random[0][-1].labels == 12 + 20 * 5, "the arm beside it has all its rounds"


def result_name(result):
    return next(iter(result.arms))


def test_the_same_call_again_changes_nothing(tmp_path, data):
    once = aw.run(data, rounds=20, out=tmp_path, quiet=True, against=None, **SETTINGS)
    again = aw.run(data, rounds=20, out=tmp_path, quiet=True, against=None, **SETTINGS)
    assert again.curves() == once.curves()
    assert again.stopped == once.stopped


def test_the_recipe_runs_by_its_name(tmp_path):
    result = aw.run("digits", recipe="stream", scheme="reservoir(epochs=2)", against=None, out=tmp_path, quiet=True)
    labels = [labels for labels, _ in result.curves()["stream"][0]]
    assert labels[:2] == [32, 64]
    assert labels[-1] <= 32 + 0.1 * 1437 + 1
    assert result.stopped == {"stream": "the end of its items"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_predictive_entropy_over_draws_online(tmp_path, blobs):
    """The online mode of tool condition monitoring: asks where the entropy of the draws is in its upper tenth."""
    strategy = "stream(strategy=max_entropy(draws=10), manager=quantile(budget=0.1))"
    settings = {"learner": "linear(dropout=0.3)", "initial": 12, "batch": 5, "rounds": 9, "against": None}
    result = aw.run(load(blobs[0], labels=blobs[1]), strategy=strategy, out=tmp_path, quiet=True, **settings)
    assert 12 + 15 <= next(iter(result.arms.values()))[0][-1].labels <= 12 + 30


def test_a_project_meets_what_is_added_later_and_nothing_twice(project, blobs, caplog):
    started(project)
    asked = []
    with caplog.at_level(logging.WARNING, logger="askwell"):
        while questions := project.ask(5):
            tell(project, questions)
            project.train()
            asked += [question.position for question in questions]
    assert re.search(r"stream asks about 0 of the \d+ items that are left", caplog.text)
    assert asked == sorted(asked)
    assert project.store.state["seen"] == 88
    assert project.ask(5) == []
    assert not project.untrained
    project.add(blobs[0][200:260], labels=False)
    questions = project.ask(30)
    assert questions
    assert all(question.position >= 100 for question in questions)
    assert project.store.state["seen"] == 148
    assert project.store.state["manager"]["asked"] <= 0.2 * 148 + 1


def test_the_memory_survives_when_nothing_was_asked(project, tmp_path, blobs):
    started(project)
    while questions := project.ask(5):
        tell(project, questions)
    state = project.store.state
    project.close()
    with aw.Project.open(tmp_path / "p", blobs[0][:200:2]) as again:
        assert again.store.state["manager"] == state["manager"]
        assert again.ask(5) == []


def test_arrivals_are_asked_about_at_once_and_only_those_are_kept(project, blobs):
    arrivals = aw.Arrivals(started(project))
    rows = blobs[0][200:300]
    questions = arrivals.offer(rows)
    asked = [place for place, question in enumerate(questions) if question is not None]
    assert len(questions) == arrivals.seen == 100
    assert 0 < len(asked) <= 0.2 * 100 + 1
    assert all(np.array_equal(questions[place].item, rows[place]) for place in asked)
    assert len(project.pool) == 100 + len(asked)
    tell(project, questions)
    assert project.train().labels == 12 + len(asked)
    assert project.store.planned == 2, "questions about items that arrive together are one round"


def test_one_by_one_is_all_at_once(tmp_path, blobs):
    found = []
    for way in ("one by one", "at once"):
        with aw.Project.create(tmp_path / way, blobs[0][:200:2], classes=["a", "b", "c"], **SETTINGS) as project:
            arrivals = aw.Arrivals(started(project))
            parts = np.split(blobs[0][200:260], 60 if way == "one by one" else 1)
            questions = [question for part in parts for question in arrivals.offer(part)]
            found.append(([question is not None for question in questions], project.store.state["manager"]))
    assert found[0] == found[1]


def test_every_arrival_has_its_own_chance(tmp_path, blobs):
    settings = {**SETTINGS, "strategy": "stream(strategy=margin, manager=split(explore=1.0, budget=0.3, window=1000))"}
    with aw.Project.create(tmp_path / "p", blobs[0][:200:2], classes=["a", "b", "c"], **settings) as project:
        arrivals = aw.Arrivals(started(project))
        asked = sum(arrivals.offer(blobs[0][200:201])[0] is not None for _ in range(50))
        assert 7 <= asked <= 24


def test_every_item_that_is_added_has_its_own_chance(tmp_path, blobs):
    """Where nothing is asked the round stays the same, but not the random number of the next item."""
    settings = {**SETTINGS, "strategy": "stream(strategy=margin, manager=split(explore=1.0, budget=0.3, window=1000))"}
    with aw.Project.create(tmp_path / "p", blobs[0][:12], classes=["a", "b", "c"], **settings) as project:
        started(project)
        asked = 0
        for row in range(200, 240):
            project.add(blobs[0][row : row + 1], labels=False)
            questions = project.ask(1)
            tell(project, questions)
            asked += len(questions)
        assert project.store.state["seen"] == 40
        assert 5 <= asked <= 20


def test_arrivals_and_the_pool_share_one_budget(project, blobs):
    arrivals = aw.Arrivals(started(project))
    tell(project, arrivals.offer(blobs[0][200:230]))
    tell(project, project.ask(3))
    state = project.store.state
    assert state["seen"] == state["manager"]["seen"] == arrivals.seen > 30


def test_a_reopened_project_goes_on_with_the_stream(project, tmp_path, blobs):
    rows, decided = blobs[0][200:260], []
    arrivals = aw.Arrivals(started(project))
    decided += [question is not None for question in arrivals.offer(rows[:37])]
    project.close()
    with aw.Project.open(tmp_path / "p", blobs[0][:200:2]) as again:
        arrivals = aw.Arrivals(again)
        assert arrivals.seen == 37
        decided += [question is not None for question in arrivals.offer(rows[37:])]
        whole = again.store.state["manager"]["asked"]
    assert sum(decided) == whole


def test_texts_arrive_too(tmp_path):
    words = [f"{'good fine' if place % 2 else 'bad poor'} word{place}" for place in range(40)]
    settings = {**SETTINGS, "strategy": "stream(strategy=margin)", "classes": ["no", "yes"]}
    with aw.Project.create(tmp_path / "p", words, **settings) as project:
        for question in project.ask(12):
            project.tell(question.id, "yes" if "good" in question.item else "no")
        project.train()
        questions = aw.Arrivals(project).offer(["good new word", "bad new word"])
        assert questions[0].item == "good new word", "the quantile filter asks about the first item whatever it is"


def test_nothing_arrives_before_there_is_a_model_or_where_nobody_decides(project, tmp_path, blobs):
    with pytest.raises(ProjectError, match=r"has no trained model yet: train one before items arrive$"):
        aw.Arrivals(project).offer(blobs[0][200:201])
    assert aw.Arrivals(project).offer([]) == []
    with (
        aw.Project.create(tmp_path / "other", blobs[0][:50], classes=["a", "b"], strategy="margin") as other,
        pytest.raises(UnmetNeeds, match=r"^strategy 'margin' does not decide item by item: make the project"),
    ):
        aw.Arrivals(other)


def test_arrivals_of_another_form_are_refused_and_change_nothing(project):
    arrivals = aw.Arrivals(started(project))
    with pytest.raises(BadShape):
        arrivals.offer([np.ones(3)])
    assert (arrivals.seen, project.store.planned) == (0, 1)


def test_state_that_another_process_overtook_is_refused(project):
    store = started(project).store
    store.remember(1, {"seen": 3})
    assert store.state == {"seen": 3}
    with pytest.raises(Conflict, match=r"^1 rounds are planned and the state is of round 0: choose again$"):
        store.remember(0, {"seen": 4})
    free = project.candidates()[:1]
    store.plan(1, Batch(free), basis=store.last)
    assert store.state == {"seen": 3}, "a round without a state leaves it as it was"
    store.plan(2, Batch(project.candidates()[1:2], state={"seen": 9}), basis=store.last)
    assert store.state == {"seen": 9}
    store.remember(3, {"seen": 10})
    assert store.state == {"seen": 10}


@pytest.mark.slow
def test_killed_streams_ask_the_same_questions():
    script = Path(__file__).with_name("kill_streams.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 8
