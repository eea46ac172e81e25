"""Unlike systems through one engine: a joint score, an adversarial scheme, a crowd, made items, boxes."""

from __future__ import annotations

import numpy as np
import parts
import pytest

from askwell.data import ArrayPool, Data, Split
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.errors import BadLabel, InputError
from askwell.models import MLP
from askwell.oracles import Truth
from askwell.schemes import VAAL, Supervised
from askwell.store import RESOLVERS
from askwell.strategies import BatchBALD, Coreset, LatentScore, Margin, Random

FAST = Supervised(steps=60, batch=16)


def data_of(items, labels, classes, n_test=60):
    ids = np.random.default_rng(0).permutation(len(items))
    split = Split(np.sort(ids[n_test:]), np.empty(0, np.int64), np.sort(ids[:n_test]))
    return Data("toy", "", {}, ArrayPool(items), tuple(classes), labels, split)


def simulate(folder, data, oracle=None, **changes):
    settings = {"initial": 6, "batch": 5, "rounds": 3, "scheme": FAST, "model": MLP(), **changes}
    project = Project.create(folder, data, **settings)
    return project, list(rounds(project, oracle or Truth(data.labels)))


def asked(project):
    return [[row.item for row in project.store.questions(one)] for one in range(len(project.reports))]


@pytest.mark.parametrize(
    ("strategy", "scheme"),
    [(BatchBALD(draws=8), FAST), (LatentScore(), VAAL(steps=40)), (Coreset(), FAST), (Margin(), FAST)],
    ids=["batch_bald", "vaal", "coreset", "margin"],
)
def test_a_system_asks_exactly_its_budget_and_learns(tmp_path, blobs, strategy, scheme):
    data = data_of(*blobs, classes="abc")
    project, reports = simulate(tmp_path / "p", data, strategy=strategy, scheme=scheme)
    picked = [item for one in asked(project) for item in one]
    assert [report.labels for report in reports] == [6, 11, 16, 21]
    assert len(set(picked)) == 21
    assert set(picked) <= set(data.split.candidates.tolist())
    assert reports[-1].metrics["accuracy"] > 0.6


def test_two_annotators_overlap_and_the_majority_is_the_label(tmp_path, blobs):
    points, labels = blobs
    data = data_of(points, labels, classes="abc")
    oracle = parts.Pair(tuple(labels.tolist()), 3)
    project, reports = simulate(tmp_path / "p", data, oracle, answers=2, strategy=Random())
    votes = list(project.store.votes())
    by_question = {}
    for vote in votes:
        by_question.setdefault(vote.question, []).append(vote.annotator)
    assert all(sorted(names) == ["ann", "bob"] for names in by_question.values())
    assert reports[-1].cost == pytest.approx(21 * 2.5)
    found = project.store.labelled(RESOLVERS["majority"])
    assert [data.classes.index(value) for value in found.values] == [labels[item] for item in found.items]


def test_an_overlap_wider_than_the_crowd_is_refused(tmp_path, blobs):
    data = data_of(*blobs, classes="abc")
    with pytest.raises(InputError, match="2 answers are wanted per question and there are 1 annotators"):
        simulate(tmp_path / "p", data, answers=2)


def test_made_items_are_asked_trained_on_and_survive_reopening(tmp_path, blobs):
    points, labels = blobs
    data = data_of(points, labels, classes="abc")
    project, reports = simulate(
        tmp_path / "p", data, parts.Nearest(points, labels), strategy=parts.Midpoints(), start=Random()
    )
    made = project.store.made()
    assert sum(item["role"] == "ask" for item in made) == 15
    assert all(item["item"] >= len(points) for item in made)
    assert len(project.pool) == len(points) + len(made)
    assert project.store.state == {"made": 15}
    copies = sum(item["role"] == "copy" for item in made)
    assert reports[-1].labels == 21
    assert len(project._fitting().labels[0]) == 21 + copies > 21
    project.close()
    again = Project.open(tmp_path / "p", data)
    item = made[0]["item"]
    np.testing.assert_array_equal(again.pool.item(item), project.pool.item(item))
    assert again.reports[-1].value == reports[-1].value


def test_boxes_are_asked_stored_and_learned(tmp_path, boxes):
    images, labels = boxes
    data = data_of(images, labels, classes=())
    scheme = Supervised(steps=250, batch=32, stop=())
    project, reports = simulate(
        tmp_path / "p", data, task="parts:SingleBox", strategy=Coreset(), scheme=scheme, initial=20, batch=30
    )
    assert reports[-1].headline == "iou"
    assert reports[-1].value > max(0.45, reports[0].value)
    assert next(project.store.votes()).value == labels[next(project.store.votes()).item]
    with pytest.raises(BadLabel, match="a box is"):
        project.tell(1, [0.5, 0.5, 0.1, 0.1])


def test_a_project_reopens_to_the_same_next_questions(tmp_path, blobs):
    data = data_of(*blobs, classes="abc")
    whole, _ = simulate(tmp_path / "whole", data)
    part, _ = simulate(tmp_path / "part", data, rounds=1)
    part.close()
    again = Project.open(tmp_path / "part", data)
    list(rounds(again, Truth(data.labels), last=3))
    assert asked(again) == asked(whole)
    assert [report.metrics for report in again.reports] == [report.metrics for report in whole.reports]
    assert [report.weights for report in again.reports] == [report.weights for report in whole.reports]


def test_hidden_labels_of_unasked_items_change_nothing(tmp_path, blobs):
    points, labels = blobs
    data = data_of(points, labels, classes="abc")
    project, _ = simulate(tmp_path / "one", data)
    known = np.zeros(len(points), bool)
    known[[item for one in asked(project) for item in one]] = True
    known[data.split.test] = True
    shuffled = np.where(known, labels, np.random.default_rng(1).integers(0, 3, len(labels)))
    other, _ = simulate(tmp_path / "two", data_of(points, shuffled, classes="abc"))
    assert asked(other) == asked(project)
    assert [report.weights for report in other.reports] == [report.weights for report in project.reports]


def test_arms_share_their_first_round_bit_by_bit(tmp_path, blobs):
    data = data_of(*blobs, classes="abc")
    one, _ = simulate(tmp_path / "one", data, strategy=Margin())
    two, _ = simulate(tmp_path / "two", data, strategy=Random())
    assert asked(one)[0] == asked(two)[0]
    assert one.reports[0].metrics == two.reports[0].metrics
    assert one.reports[0].weights == two.reports[0].weights
    assert asked(one)[1] != asked(two)[1]
