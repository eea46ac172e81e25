"""A project that is edited in the middle of its work: nothing that was said or asked is lost or moves."""

from __future__ import annotations

import logging
import os
import re

import numpy as np
import pytest
import torch

from askwell.core.oracle import Annotation
from askwell.data import load
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.engine.status import status
from askwell.errors import BadData, BadLabel, InputError, ProjectError, UnknownName
from askwell.oracles import Truth
from askwell.store import open_store

QUICK = {"learner": "linear", "initial": 6, "batch": 5}
NET = {"model": "mlp(width=8)", "scheme": "supervised(steps=20)", "initial": 6, "batch": 5}


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


@pytest.fixture
def data(blobs):
    return load(blobs[0], labels=blobs[1], classes=["a", "b", "c"], validation_size=20)


@pytest.fixture
def project(tmp_path, data):
    with Project.create(tmp_path / "p", data, strategy="margin", **QUICK) as made:
        yield made


def answer(project, questions):
    """The truth, by the names that the classes have now."""
    for question in questions:
        true = project.original.check(int(project.data.labels[question.position % 300]))
        project.tell(question.id, project.edits.now(true))


def begun(project):
    answer(project, project.ask(12))
    project.train()
    return project


def record(project):
    return [(event.seq, event.verb, event.item, event.value) for event in project.store.history()]


def labels(project):
    """Item -> label, as a fit would see them."""
    project._refresh()
    ids, values = project._fitting().labels
    return dict(zip(ids.tolist(), values, strict=True))


def test_added_items_are_candidates_behind_all_others(project, blobs):
    begun(project)
    before, items = record(project), project.pool.keys(range(300))
    keys = project.add(blobs[0][:40] + 0.5)
    assert keys == [str(n) for n in range(300, 340)]
    assert project.pool.keys(range(300)) == items
    np.testing.assert_array_equal(project.pool.item(305), blobs[0][5] + np.float32(0.5))
    assert record(project) == before
    assert set(range(300, 340)) <= set(project.candidates().tolist())
    asked = project.ask(len(project.candidates()))
    assert {question.key for question in asked} >= set(keys)
    answer(project, asked)
    assert project.train().labels == 12 + len(asked)


def test_labels_that_come_with_items_are_volunteered_by_the_data(project, blobs):
    values = ["b", None, "c", -1] + [None] * 6
    project.add(blobs[0][:10] + 0.5, loading={"labels": values})
    said = [(vote.item, vote.value, vote.annotator, vote.volunteered) for vote in project.store.votes()]
    assert said == [(300, "b", "data", True), (302, "c", "data", True)]
    project.add(blobs[0][10:20] + 0.5, labels=False, loading={"labels": values})
    assert len(list(project.store.votes())) == 2
    assert project.train().labels == 2


def test_a_table_is_added_by_the_columns_of_the_first_one(tmp_path):
    rows = [f"{n},the {('film', 'play')[n % 2]} {n},{('good', 'bad')[n % 2]}" for n in range(12)]
    first, second, third = (tmp_path / f"{name}.csv" for name in ("first", "second", "third"))
    first.write_text("\n".join(["id,review,stars", *rows]))
    second.write_text("stars,id,review\ngood,m1,a new film\n,m2,an old play\n")
    third.write_text("id,review\n3,the same id\n")
    loading = {"text": "review", "key": "id", "label": "stars"}
    with Project.create(tmp_path / "p", first, strategy="random", model="text_cnn", loading=loading) as project:
        assert project.add(second, loading={"label": "stars"}) == ["m1", "m2"]
        assert [(vote.item, vote.value) for vote in project.store.votes()] == [(12, "good")]
        assert project.pool.item(13) == "an old play"
        with pytest.raises(BadData, match=exactly("the pool has an item '3' already: give the new one another id")):
            project.add(third)
    with Project.open(tmp_path / "p") as project:
        assert project.pool.keys([12, 13]) == ["m1", "m2"]
        second.write_text("stars,id,review\ngood,m1,another film\n,m2,an old play\n")
    message = f"the data that were added to {tmp_path / 'p'} have changed: second has another hash now"
    with pytest.raises(ProjectError, match=exactly(message)):
        Project.open(tmp_path / "p")


def test_what_was_added_from_memory_is_given_again(project, data, blobs):
    project.add(blobs[0][:4] + 0.5)
    project.add(load(blobs[0][4:6] + 0.5, like=project.pool, classes=["a", "b", "c"]))
    more, path = [blobs[0][:4] + 0.5, blobs[0][4:6] + 0.5], project.folder.path
    with Project.open(path, data, added=more) as again:
        assert again.pool.digest == project.pool.digest
    message = f"items 304 to 305 of {path} were added from memory: give them again, Project.open(path, …, added=[…])"
    with pytest.raises(ProjectError, match=exactly(message)):
        Project.open(path, data, added=more[:1])
    with pytest.raises(ProjectError, match=r"have changed: arrays has another hash now$"):
        Project.open(path, data, added=more[::-1])
    with pytest.raises(InputError, match=exactly("3 additions are given, 2 were made from memory")):
        Project.open(path, data, added=[*more, more[0]])


def test_additions_that_do_not_fit_leave_nothing_behind(project, blobs):
    project.add(blobs[0][:4] + 0.5)
    with pytest.raises(InputError, match=exactly("the items of arrays are in the project already")):
        project.add(blobs[0][:4] + 0.5)
    with pytest.raises(BadData, match=exactly("these items are texts, and those of the pool are arrays")):
        project.add(["a text", "another"])
    with pytest.raises(BadLabel, match=r"^label 'd' is none of the 3 classes"):
        project.add(blobs[0][:2] + 1, loading={"labels": ["d", "a"]})
    assert (len(project.pool), project.store.edited, project.store.last) == (304, 1, 0)


def test_another_process_finds_what_was_added_from_a_file(tmp_path, blobs):
    np.save(tmp_path / "first.npy", blobs[0])
    np.save(tmp_path / "more.npy", blobs[0][:9] + 0.5)
    with Project.create(tmp_path / "p", tmp_path / "first.npy", classes=["a", "b"], **QUICK) as project:
        with Project.open(tmp_path / "p") as other:
            other.add(tmp_path / "more.npy")
            other.add_class("c")
        (question,) = project.ask(1)
        assert len(project.pool) == 309
        project.tell(question.id, "c")


def test_answers_are_kept_where_another_process_added_from_memory(project, data, blobs):
    question = project.ask(1)[0]
    with Project.open(project.folder.path, data) as other:
        other.add(blobs[0][:9] + 0.5)
    project.tell(question.id, "b")
    with pytest.raises(ProjectError, match=r"were added from memory"):
        project.ask(1)


def test_removed_items_are_neither_asked_nor_trained_on_nor_measured(project, data):
    begun(project)
    held = data.split.test[0], data.split.validation[0]
    (out,) = project.ask(1)
    answered = project.store.questions(0)[0].item
    keys = project.pool.keys([answered, out.position, *held, data.split.candidates[-1]])
    before = record(project)
    assert project.remove(keys) == 5
    assert project.remove(keys[0]) == 0
    assert [verb for _, verb, *_ in record(project)[len(before) :]] == ["close", "close"]
    gone = set(project.pool.positions(keys).tolist())
    assert not gone & set(project.candidates().tolist())
    assert project.store.pending() == []
    job = project._fitting().job(0, {})
    for ids in (job.labelled, job.unlabelled, job.validation, *job.batches):
        assert not gone & set(ids.tolist())
    assert len(job.validation) == len(job.validation_targets) == 19
    assert project.train().labels == 11
    assert project.status()["items"]["removed"] == 5
    with pytest.raises(UnknownName, match=r"^unknown item 'nope'"):
        project.remove(["1", "nope"])
    assert project.store.counts()["removed"] == 5


def test_a_new_name_changes_neither_answers_nor_the_model(project):
    begun(project)
    old, answers = record(project), labels(project)
    model = project.learner.state()
    project.rename_class("a", "apple")
    assert record(project) == old
    assert labels(project) == {item: "apple" if label == "a" else label for item, label in answers.items()}
    assert project.current
    assert all(torch.equal(value, model[key]) for key, value in project.learner.state().items())
    question = project.ask(1)[0]
    with pytest.raises(BadLabel, match=exactly("class 'a' is now 'apple': answer with that name")):
        project.tell(question.id, "a")
    project.tell(question.id, "apple")
    metrics = project.reports[-1].metrics["accuracy"]
    report = project.train()
    assert report.agreement > 0.8
    assert abs(report.metrics["accuracy"] - metrics) < 0.2
    assert project.status()["classes"] == status(project.folder.path)["classes"] == ["apple", "b", "c"]


def test_a_model_of_other_classes_is_trained_anew_before_it_chooses(project, caplog):
    begun(project)
    project.merge_classes(["b", "c"], into="rest")
    message = "the classes have changed since the last training: train again"
    with pytest.raises(ProjectError, match=exactly(message)):
        _ = project.learner
    with caplog.at_level(logging.INFO, "askwell"):
        asked = project.ask(3)
    assert "the classes have changed since the last training: training anew before choosing" in caplog.messages
    assert (len(asked), len(project.reports), project.reports[-1].edits) == (3, 2, 1)
    assert project.learner.predict(project.pool, torch.arange(4)).shape == (4, 2)
    assert set(labels(project).values()) == {"a", "rest"}
    assert project.reports[-1].metrics["accuracy"] > 0.8
    project.add_class("d")
    project.tell(asked[0].id, "d")
    assert project.train().labels == 13
    assert project.learner.predict(project.pool, torch.arange(4)).shape == (4, 3)


def test_without_a_label_left_the_initial_strategy_chooses(project):
    begun(project)
    project.remove([project.pool.keys([row.item])[0] for row in project.store.questions()])
    project.add_class("d")
    assert len(project.ask(3)) == 3


@pytest.mark.parametrize("policy", ["warm", "'shrink_perturb', 0.4, 0.1"])
def test_a_warm_start_goes_on_over_edits(tmp_path, data, policy):
    settings = {**NET, "scheme": f"supervised(steps=20, policy=({policy}))" if "," in policy else
                f"supervised(steps=20, policy={policy})"}  # fmt: skip
    with Project.create(tmp_path / "w", data, strategy="random", **settings) as project:
        begun(project)
        before = project.learner.state()
        project.add_class("d")
        assert project._previous().keys() == before.keys()
        answer(project, project.ask(3))
        project.merge_classes(["c", "d"], into="rest")
        project.add_class("e")
        assert project._previous() == {}
        project.train()
        project.rename_class("e", "f")
        assert project._previous().keys() == before.keys()
        project.train()


def test_an_old_fit_is_made_again_bit_by_bit_after_edits(project, data, blobs):
    begun(project)
    before = {key: value.clone() for key, value in project.learner.state().items()}
    path = project.folder.path
    for old in (path / "models").glob("*"):
        old.unlink()
    project.add(blobs[0][:30] + 0.5, loading={"labels": ["b"] * 30})
    project.remove([project.pool.keys([project.store.questions(0)[0].item])[0], "301", project.pool.keys([7])[0]])
    project.rename_class("b", "bee")
    with Project.open(path, data, added=[blobs[0][:30] + 0.5]) as again:
        assert all(torch.equal(value, before[key]) for key, value in again.learner.state().items())


def test_an_oracle_of_the_truth_follows_the_edits(project, data):
    list(rounds(project, Truth(data.labels), last=1))
    project.merge_classes(["a", "b"], into="ab")
    done = list(rounds(project, Truth(data.labels), last=3))
    assert [report.round for report in done] == [2, 3]
    found = project._fitting().labels
    true = ["c" if data.labels[item] == 2 else "ab" for item in found[0].tolist()]
    assert found[1] == true


def test_history_is_read_by_the_classes_of_now(project):
    begun(project)
    project.rename_class("a", "apple")
    history = project.view(project.candidates(), ()).history
    assert {label for facts in history for label in facts.labels} == {"apple", "b", "c"}


def test_many_labels_per_item_are_edited_alike(tmp_path, blobs):
    values = [["a"] * int(n % 2) + ["b"] * int(n % 3 == 0) for n in range(300)]
    data = load(blobs[0], labels=values, classes=["a", "b", "c"], task="multi_label")
    with Project.create(tmp_path / "m", data, strategy="random", **NET) as project:
        for question in project.ask(12):
            project.tell(question.id, values[question.position])
        project.merge_classes(["a", "b"], into="ab")
        expected = {question.item: ["ab"] if values[question.item] else [] for question in project.store.questions()}
        assert labels(project) == expected
        project.train()
        project.add(blobs[0][:3] + 0.5, loading={"labels": [["ab", "c"], [], None]})
        assert [vote.value for vote in project.store.votes()][-2:] == [["c", "ab"], []]


def test_numbers_have_no_classes(tmp_path, blobs):
    data = load(blobs[0], labels=blobs[0][:, 0].astype(float), task="regression")
    with Project.create(tmp_path / "r", data, strategy="random", **NET) as project:
        message = "the labels of this project are made of no classes, so that there are none to edit"
        with pytest.raises(InputError, match=exactly(message)):
            project.add_class("a")
        project.add(blobs[0][:3] + 0.5, loading={"labels": [1.5, None, 2.5]})
        assert [vote.value for vote in project.store.votes()] == [1.5, 2.5]
        project.remove(["300"])
        assert project._fitting().labels[1] == [2.5]


def test_an_edit_of_another_process_is_seen_in_time(project, data):
    begun(project)
    question, next_one = project.ask(2)
    with Project.open(project.folder.path, data) as other:
        other.rename_class("c", "cherry")
        with pytest.raises(BadLabel, match=exactly("class 'c' is now 'cherry': answer with that name")):
            project.tell(question.id, "c")
        project.tell(question.id, "cherry")
        other.add_class("d")
        project.tell_all([Annotation(next_one.id, "me", value="d")])
        project.train()
        other.train()
    assert project.task.classes == other.task.classes == ("a", "b", "cherry", "d")


def test_edits_at_the_same_moment_are_made_one_after_the_other(project, data, monkeypatch):
    with Project.open(project.folder.path, data) as other:
        real, late = type(project.store).edit, [lambda: other.add_class("d")]

        def edit(store, kind, body, *, known=None):
            if store is project.store and late:
                late.pop()()
            return real(store, kind, body, known=known)

        monkeypatch.setattr(type(project.store), "edit", edit)
        with pytest.raises(InputError, match=r"^there is a class 'd' already"):
            project.add_class("d")
        late.append(lambda: other.add_class("e"))
        project.add_class("f")
    assert project.task.classes == ("a", "b", "c", "d", "e", "f")


def test_an_answer_and_an_edit_at_the_same_moment(project, data, monkeypatch):
    first, second = project.ask(2)
    with Project.open(project.folder.path, data) as other:
        real, late = type(project.store).tell_many, [lambda: other.rename_class("a", "apple")]

        def tell_many(store, annotations, **rest):
            if store is project.store and late:
                late.pop()()
            return real(store, annotations, **rest)

        monkeypatch.setattr(type(project.store), "tell_many", tell_many)
        with pytest.raises(BadLabel, match=exactly("class 'a' is now 'apple': answer with that name")):
            project.tell(first.id, "a")
        late.append(lambda: other.rename_class("b", "bee"))
        project.tell(second.id, "c")
    assert [event.value for event in project.store.history()] == ["c"]


def test_a_plan_with_an_item_that_was_just_removed_is_made_again(project, data, monkeypatch):
    with Project.open(project.folder.path, data) as other:
        real, late = type(project.store).plan, [True]

        def plan(store, round, batch, **rest):
            if late:
                late.pop()
                other.remove([other.pool.keys([int(batch.ids[0])])[0]])
            return real(store, round, batch, **rest)

        monkeypatch.setattr(type(project.store), "plan", plan)
        asked = project.ask(4)
    assert len(asked) == 4
    assert project.store.counts()["removed"] == 1


def killed(project, work, statement):
    """Does the work in a fork that dies before its n-th statement of the store; whether it came so far."""
    child = os.fork()
    if not child:
        seen = 0

        def count(text):
            nonlocal seen
            seen += 1
            if seen == statement:
                os._exit(9)

        try:
            with project.store.connections.read() as connection:
                connection.set_trace_callback(count)
            work(project)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


WORK = {
    "add": lambda project: project.add(np.full((3, 2), 9.0, np.float32), loading={"labels": ["a", None, "b"]}),
    "remove": lambda project: project.remove(project.pool.keys([row.item for row in project.store.questions(1)])),
    "rename": lambda project: project.rename_class("a", "apple"),
    "merge": lambda project: project.merge_classes(["b", "c"], into="rest"),
}

AFTER = {
    "add": (1, ("a", "b", "c"), 303, 0, 2),
    "remove": (1, ("a", "b", "c"), 300, 3, 3),
    "rename": (1, ("apple", "b", "c"), 300, 0, 0),
    "merge": (1, ("a", "rest"), 300, 0, 0),
}


@pytest.mark.parametrize("work", WORK)
def test_a_kill_in_an_edit_leaves_the_project_before_it_or_after_it(tmp_path, data, work):
    with Project.create(tmp_path / "k", data, strategy="margin", **QUICK) as project:
        begun(project)
        asked = project.ask(3)
    more, path, statement = [np.full((3, 2), 9.0, np.float32)], tmp_path / "k", 1

    def found():
        with open_store(path / "labels.db") as store:
            added = more if len(store.segments()) > 1 else []
        with Project.open(path, data, added=added) as again:
            assert record(again)[: len(said)] == said
            events = len(record(again)) - len(said)
            return again.store.edited, again.task.classes, len(again.pool), again.store.counts()["removed"], events

    with Project.open(path, data) as project:
        said = record(project)
    before = found()
    while found() == before:
        with Project.open(path, data) as project:
            assert killed(project, WORK[work], statement) or found() != before
        statement += 1
    assert statement > 5
    assert found() == AFTER[work]
    with Project.open(path, data, added=more if work == "add" else []) as project:
        assert len(project.store.pending()) == (0 if work == "remove" else len(asked))
        project.train()
