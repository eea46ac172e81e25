"""A project under people's hands: any order of asking, telling and training, several processes, kills in between."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

import askwell as aw
from askwell.core.oracle import Annotation
from askwell.core.strategy import Strategy
from askwell.data import load
from askwell.engine.assemble import assemble
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.engine.stop import Labels, Plateau, parse_stop
from askwell.errors import BadData, ColdStart, Conflict, InputError, ProjectError, UnknownName, UnmetNeeds
from askwell.oracles import Truth
from askwell.strategies import Random

QUICK = {"learner": "linear", "initial": 6, "batch": 5}


@pytest.fixture
def data(blobs):
    return load(blobs[0], labels=blobs[1], classes=["a", "b", "c"])


@pytest.fixture
def project(tmp_path, data):
    made = Project.create(tmp_path / "p", data, strategy="margin", **QUICK)
    yield made
    made.close()


def tell(project, questions):
    for question in questions:
        project.tell(question.id, int(project.data.labels[question.position]))


def test_two_asks_before_a_training_are_two_rounds_of_one_fit(project, data):
    tell(project, project.ask(5))
    tell(project, project.ask(5))
    assert (project.train().labels, project.untrained) == (10, False)
    assert [report.round for report in rounds(project, Truth(data.labels), last=3)] == [2, 3]


def test_training_on_volunteered_labels_leaves_the_next_round_to_be_trained(project):
    keys = project.pool.keys(project.data.split.candidates[[0, 90, 180]])
    for key, label in zip(keys, "abc", strict=True):
        project.volunteer(key, label)
    project.train()
    tell(project, project.ask(4))
    assert project.untrained
    assert project.train().labels == 7


def test_a_second_project_on_the_folder_sees_what_the_first_has_trained(project, data):
    with Project.open(project.folder.path, data) as other:
        tell(project, project.ask(6))
        project.train()
        assert len(other.ask(3, "bob")) == 3
        assert other.reports == project.reports


def test_history_holds_each_round_once(tmp_path, data):
    seen = []

    @dataclass(frozen=True)
    class Watching(Strategy):
        needs = ()

        def choose(self, view, n, rng):
            seen.append([(facts.round, len(facts.ids), facts.labels.count("a") > -1) for facts in view.history])
            return view.pick(torch.arange(n))

    with Project.create(tmp_path / "w", data, strategy="random", **QUICK) as project:
        tell(project, project.ask(6))
        tell(project, project.ask(2))
        project.train()
        project.train()
        object.__setattr__(project.recipe, "strategy", Watching())
        project.ask(3)
    assert seen == [[(0, 6, True), (1, 2, True)]]


def test_what_a_killed_create_left_is_no_obstacle(tmp_path, data, monkeypatch):
    monkeypatch.setattr(
        "askwell.engine.folder.Folder.write_manifest", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        Project.create(tmp_path / "k", data, **QUICK)
    monkeypatch.undo()
    with Project.create(tmp_path / "k", data, **QUICK) as project:
        assert len(project.ask(3)) == 3


def test_a_folder_with_labels_but_no_manifest_is_never_cleared(project, data):
    tell(project, project.ask(2))
    (project.folder.path / "project.json").unlink()
    with pytest.raises(ProjectError, match="is not empty"):
        Project.create(project.folder.path, data)
    assert len(list(project.store.votes())) == 2


def test_the_export_of_the_reports_is_whole_after_reopening(project, data):
    tell(project, project.ask(6))
    project.train()
    (project.folder.path / "rounds.jsonl").unlink()
    with Project.open(project.folder.path, data):
        lines = (project.folder.path / "rounds.jsonl").read_text().splitlines()
    assert [json.loads(line)["labels"] for line in lines] == [6]


def test_numpy_numbers_are_numbers_and_fractions_are_refused(tmp_path, data):
    with Project.create(tmp_path / "n", data, seed=np.int64(3), **QUICK) as project:
        assert len(project.ask(np.int64(2))) == 2
        with pytest.raises(InputError, match=r"n must be a whole number, got 2\.5"):
            project.ask(2.5)


def test_changed_labels_are_changed_data(tmp_path, blobs):
    points, labels = blobs
    settings = {"strategy": "margin", "rounds": 0, "against": None, "out": tmp_path, "quiet": True, **QUICK}
    one = aw.run(points, labels=labels, **settings)
    two = aw.run(points, labels=(labels + 1) % 3, **settings)
    three = aw.run(points, labels=labels, features=points[:, :1], **settings)
    assert len({one.folder, two.folder, three.folder}) == 3


def test_features_given_beside_arrays_have_to_be_given_again(tmp_path, blobs):
    points, given = blobs[0], blobs[0][:, :1]
    loading = {"features": given}
    Project.create(
        tmp_path / "f", points, classes=["a", "b"], strategy="typiclust", start="typiclust", loading=loading
    ).close()
    with pytest.raises(ProjectError, match="to be given again"):
        Project.open(tmp_path / "f", points)
    with Project.open(tmp_path / "f", points, loading=loading) as project:
        assert project.pool.features().shape[1] == 1


def test_arms_that_share_a_name_are_two_arms(tmp_path, data):
    settings = {"rounds": 0, "out": tmp_path, "quiet": True, **QUICK}
    inner = "subsample(strategy=margin, size={})"
    result = aw.run(data, strategy=inner.format(100), against=inner.format(90), **settings)
    assert list(result.arms) == ["subsample-margin", "Subsample(size=90) | Margin()"]
    named = aw.run(data, recipe="random", strategy="margin", **settings)
    assert list(named.arms) == ["margin", "random"]


def test_a_stop_rule_means_the_same_in_a_used_folder(tmp_path, data):
    settings = {"strategy": "margin", "rounds": 2, "against": None, "quiet": True, "out": tmp_path, **QUICK}
    aw.run(data, **settings)
    assert len(aw.run(data, stop="labels(10)", **settings).arms["margin"][0]) == 2
    assert aw.run(data, stop="rounds(2)", **settings).stopped == {}


def test_seeds_count_once(data):
    with pytest.raises(InputError, match="each once"):
        aw.run(data, strategy="margin", seeds=[0, 0], **QUICK)


@dataclass(frozen=True)
class Coin:
    """Annotators who toss a coin."""

    annotators = ("ann", "bob", "cid")

    def answer(self, questions, annotator, rng):
        for question in questions:
            yield Annotation(question.id, annotator, value=int(torch.randint(3, (), generator=rng(question.id))))

    def config(self):
        return {}


def test_annotators_err_independently(tmp_path, data):
    with Project.create(tmp_path / "c", data, answers=3, learner="linear", initial=40) as project:
        next(rounds(project, Coin(), last=0))
        votes = {}
        for vote in project.store.votes():
            votes.setdefault(vote.question, []).append(vote.value)
    disagree = sum(len(set(values)) > 1 for values in votes.values())
    assert 25 <= disagree <= 40


def test_a_round_without_any_label_is_followed_by_another(tmp_path, blobs):
    points, labels = blobs
    data = load(points, labels=labels, classes=["a", "b", "c"])
    hidden = data.labels.copy()
    with Project.create(tmp_path / "s", data, strategy="margin", **QUICK) as project:
        project.plan(6)
        hidden[[row.item for row in project.store.questions(0)]] = -1
        report = next(rounds(project, Truth(hidden), last=0))
    assert report.labels == 6


def test_parts_that_cannot_work_are_refused_before_anything_is_written(tmp_path, data):
    @dataclass(frozen=True)
    class Late(Random):
        cold_start = False

    with pytest.raises(UnknownName, match="unknown way to resolve 'foo'"):
        Project.create(tmp_path / "r", data, resolve="foo", **QUICK)
    with pytest.raises(ColdStart, match="cannot start, for it needs labels"):
        Project.create(tmp_path / "r", data, start=Late(), **QUICK)
    with pytest.raises(UnmetNeeds, match="makes items that the data have no label for"):
        aw.run(data, strategy="parts:Midpoints", out=tmp_path, **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_a_model_keeps_the_settings_of_its_learner(data):
    made = assemble(form=data.pool.form, learner="net(precision='bfloat16', batch=64)", model="mlp")
    assert (made.learner.precision, made.learner.batch) == ("bfloat16", 64)


@pytest.mark.parametrize("text", ["plateau(rounds=0)", "labels('20')", "labels(500, 3)", "stabilised(rounds=0)"])
def test_stop_rules_check_their_numbers(text):
    with pytest.raises(InputError, match="stop rule"):
        parse_stop(text)


def test_stop_rules_in_python_check_too():
    with pytest.raises(InputError, match="at least 1"):
        Labels(0) | Plateau()


def test_a_label_is_not_volunteered_past_a_question(project):
    question = project.ask(1)[0]
    project.tell(question.id, "a")
    with pytest.raises(Conflict, match=f"was asked about in question {question.id}: answer or correct that"):
        project.volunteer(question.key, "b")
    assert [vote.value for vote in project.store.votes()] == ["a"]


def test_a_corrupt_picture_is_named_when_it_is_met_and_can_be_removed(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for n in range(8):
            Image.fromarray(np.full((8, 8), 16 * n, np.uint8)).save(tmp_path / "pets" / name / f"{n}.png")
    (tmp_path / "pets" / "cat" / "3.png").write_bytes(b"no picture")
    loading = {"cache": tmp_path / "cache", "test_size": 0}
    with Project.create(tmp_path / "p", tmp_path / "pets", learner="linear", loading=loading) as project:
        with pytest.raises(BadData, match=r"^picture 'cat/3\.png' cannot be read: .*; leave it out: corrupt='skip' "):
            project.ask(16)
        project.remove(["cat/3.png"])
        assert len(project.ask(16)) == 15
    loading = {"cache": tmp_path / "cache", "corrupt": "skip"}
    with Project.create(tmp_path / "q", tmp_path / "pets", learner="linear", loading=loading) as project:
        assert sum(project.status()["items"].values()) == 15


def test_a_device_that_is_not_there_is_refused(tmp_path, data):
    with pytest.raises(InputError, match="device 'meat' cannot be used"):
        Project.create(tmp_path / "d", data, device="meat", **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_on_an_unknown_metric_is_refused_before_anything_is_written(tmp_path, data):
    scheme = "supervised(stop=('reached', 'acuracy', 0.99))"
    with pytest.raises(UnknownName, match="unknown metric 'acuracy': did you mean 'accuracy'"):
        Project.create(tmp_path / "m", data, scheme=scheme, model="mlp")
    assert list(tmp_path.iterdir()) == []


def test_items_that_another_process_has_made_can_be_shown(tmp_path, blobs):
    points, labels = blobs
    data = load(points, labels=labels, classes=["a", "b", "c"])
    with Project.create(
        tmp_path / "m", data, strategy="parts:Midpoints", model="mlp", scheme="supervised(steps=5)"
    ) as one:
        tell(one, one.ask(6))
        one.train()
        with Project.open(tmp_path / "m", data) as other:
            assert one.plan(4) == 4
            shown = other.take(4, "bob")
        assert [question.item.tolist() for question in shown] == [
            made["payload"].tolist() for made in one.store.made()
        ][:4]
