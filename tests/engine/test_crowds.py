"""Crowds in a project: who answers, how answers become labels, and second opinions."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

import askwell as aw
from askwell.core.needs import ANNOTATORS, VOTES
from askwell.core.recipe import Recipe
from askwell.core.store import Vote
from askwell.core.view import Batch
from askwell.data import Data, load
from askwell.engine.loop import answer, rounds
from askwell.engine.project import Project
from askwell.engine.simulated import simulated
from askwell.errors import BadLabel, InputError, UnmetNeeds
from askwell.oracles import Crowd, Model, Noisy, Truth
from askwell.store import dawid_skene
from askwell.strategies import Random

CROWD = Crowd(confusion=(0.7, 0.7, 0.05))
"""Two whose mistakes are spread evenly, and one who knows."""


def shifted(right: float, by: int) -> tuple[tuple[float, ...], ...]:
    """Confusion of somebody who takes a digit for the one that comes `by` later."""
    table = right * np.eye(10) + (1 - right) * np.roll(np.eye(10), by, axis=1)
    return tuple(map(tuple, table.tolist()))


SYSTEMATIC = Crowd(confusion=(shifted(0.4, 1), shifted(0.3, 3), 0.1))
"""Two who mistake classes for certain others, and one who knows."""


@pytest.fixture(scope="module")
def digits() -> Data:
    return load("digits", pool_size=500, test_size=200)


def project_of(folder: Path, data: Data, **changes: object) -> Project:
    settings = {"learner": "linear", "strategy": "margin", "initial": 300, "batch": 20, "rounds": 0, **changes}
    return Project.create(folder, data, **settings)


def correct(project: Project) -> float:
    """Share of the labelled items whose label is the true one."""
    ids, values = project._fitting().labels
    truth = np.asarray(project.data.labels)[ids.numpy()]
    return float(np.mean([project.task.check(int(one)) == value for one, value in zip(truth, values, strict=True)]))


@pytest.mark.parametrize(("crowd", "resolve"), [(SYSTEMATIC, "dawid_skene"), (CROWD, "one_coin")])
def test_dawid_skene_makes_better_labels_of_a_crowd_than_the_majority(
    tmp_path: Path, digits: Data, crowd: Crowd, resolve: str
) -> None:
    found = {}
    for way in ("majority", resolve):
        with project_of(tmp_path / way, digits, oracle=crowd, answers=3, resolve=way) as project:
            (report,) = rounds(project, simulated(project.recipe, digits))
            assert (report.labels, report.cost) == (300, 900.0)
            found[way] = correct(project), report.value
    assert found[resolve][0] > 0.9 > found["majority"][0] + 0.15
    assert found[resolve][1] > found["majority"][1] + 0.1


def test_labels_are_those_of_all_answers_together_as_of_any_event(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits, oracle=CROWD, answers=3, resolve="dawid_skene") as project:
        project.plan(300)
        answer(project, simulated(project.recipe, digits))
        said = list(project.store.votes())
        resolve = dawid_skene(said)
        ids, values = project._fitting().labels
        first = {vote.item: vote for vote in reversed(said)}
        assert values == [resolve([first[item]]) for item in ids.tolist()]
        project.remove(project.pool.keys([int(ids[0])]))
        assert int(ids[0]) not in project._fitting().labels[0].tolist()
    with Project.open(tmp_path / "a", digits) as again:
        assert len(again._fitting().labels[1]) == 299


def test_a_renamed_class_is_the_same_class_to_dawid_skene(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits, oracle=CROWD, answers=3, resolve="dawid_skene") as project:
        project.plan(100)
        answer(project, simulated(project.recipe, digits))
        before = project._fitting().labels[1]
        project.rename_class("0", "zero")
        assert project._fitting().labels[1] == ["zero" if label == "0" else label for label in before]
        assert len(project.train().metrics)


def test_annotators_share_the_work_evenly(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits, oracle=Crowd(confusion=(0.1,) * 5), initial=40, answers=2) as project:
        list(rounds(project, simulated(project.recipe, digits)))
        votes = list(project.store.votes())
    assert set(Counter(vote.annotator for vote in votes).values()) == {16}
    assert all(count == 2 for count in Counter(vote.item for vote in votes).values())


def test_who_is_not_there_is_replaced_and_costs_nothing(tmp_path: Path, digits: Data) -> None:
    crowd = Crowd(confusion=(0.1, 0.1, 0.1), availability=(0.5, 0.5, 1.0), cost=(1.0, 1.0, 5.0))
    with project_of(tmp_path / "a", digits, oracle=crowd, initial=60) as project:
        (report,) = rounds(project, simulated(project.recipe, digits))
        votes = list(project.store.votes())
    assert report.labels == 60
    assert report.cost == sum(5.0 if vote.annotator == "annotator-3" else 1.0 for vote in votes)
    assert Counter(vote.annotator for vote in votes)["annotator-3"] > 20


def test_activelab_gives_second_opinions_by_other_annotators(tmp_path: Path, digits: Data) -> None:
    settings = {"recipe": "activelab", "initial": 40, "batch": 40, "rounds": 3, "strategy": None}
    with project_of(tmp_path / "a", digits, **settings) as project:
        reports = list(rounds(project, simulated(project.recipe, digits)))
        votes = list(project.store.votes())
        asked = Counter(row.item for row in project.store.questions())
    assert sum(asked.values()) == 160
    assert reports[-1].labels == len(asked) < 160
    assert max(Counter((vote.item, vote.annotator) for vote in votes).values()) == 1


def test_a_second_opinion_is_somebody_elses_where_there_is_somebody(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits) as project:
        one, other = project.candidates()[:2].tolist()
        project.store.plan(0, Batch(torch.tensor([one])), basis=0)
        project.tell(project.take(1, "ann")[0].id, 3, annotator="ann")
        project.store.plan(1, Batch(torch.tensor([one, other])), basis=0, again=True)
        assert [asked.position for asked in project.take(2, "ann", again=False)] == [other]
        project.give_back(3, annotator="ann")
        assert [asked.position for asked in project.take(2, "bob", again=False)] == [one, other]
        project.give_back(2, annotator="bob")
        project.give_back(3, annotator="bob")
        assert [asked.position for asked in project.take(2, "ann")] == [other, one]


def test_second_opinions_are_not_shared_with_who_gave_the_first(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits) as project:
        batch = Batch(project.candidates()[:6])
        for round, names in enumerate([("ann",), ("ann", "bob")]):
            project.store.plan(round, batch, basis=0, again=round > 0)
            answer(project, Truth(digits.labels, names))
        assert [vote.annotator for vote in project.store.votes()] == ["ann"] * 6 + ["bob"] * 6


def test_of_two_answers_by_one_annotator_the_later_resolves() -> None:
    votes = [Vote(seq, 1, 0, "", "ann", label, 1.0, 0.0) for seq, label in ((5, "a"), (1, "b"))]
    assert dawid_skene(votes)(votes) == "a"


def test_a_question_to_one_annotator_wants_his_answer_alone(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits, answers=3) as project:
        project.store.register(["ann", "bob", "cid"])
        one, other = project.candidates()[:2].tolist()
        batch = Batch(torch.tensor([one, other, other]), annotators=torch.tensor([2, 0, 1]))
        project.store.plan(0, batch, basis=0, answers=3)
        assert [(row.answers, row.asked_of) for row in project.store.questions()] == [
            (1, "cid"),
            (1, "ann"),
            (1, "bob"),
        ]
        answer(project, Truth(digits.labels, ("ann", "bob", "cid")))
        assert [vote.annotator for vote in project.store.votes()] == ["cid", "ann", "bob"]


def test_strategies_see_encoded_votes_and_who_may_be_asked(tmp_path: Path, digits: Data) -> None:
    with project_of(tmp_path / "a", digits, oracle=CROWD, initial=10) as project:
        list(rounds(project, simulated(project.recipe, digits)))
        tables = project._fitting().tables()
        assert tables[ANNOTATORS]({}) == {"annotator-1": 0, "annotator-2": 1, "annotator-3": 2}
        encoded, said = tables[VOTES]({}), list(project.store.votes())
    assert [project.task.check(vote.value) for vote in encoded] == [vote.value for vote in said]
    assert all(type(vote.value) is int for vote in encoded)


def test_run_takes_an_oracle_by_its_text(tmp_path: Path, digits: Data) -> None:
    settings = {"learner": "linear", "initial": 30, "batch": 30, "rounds": 1, "quiet": True, "out": tmp_path}
    crowd = "crowd(confusion=(0.1, 0.5, 0.5), cost=(3.0, 1.0, 1.0))"
    noisy = aw.run(digits, oracle=crowd, answers=3, resolve="dawid_skene", **settings)
    assert noisy.arms["margin"][0][-1].cost == 60 * 5.0
    assert [report.cost for report in noisy.arms["random"][0]] == [150.0, 300.0]
    assert noisy.folder != aw.run(digits, **settings).folder


def test_an_oracle_with_labels_of_its_own_keeps_them(digits: Data) -> None:
    plain = Recipe("a", Random(), None, Random())  # type: ignore[arg-type] # only its oracle is looked at
    assert isinstance(simulated(plain, digits), Truth)
    own = Recipe("a", Random(), None, Random(), oracle=Noisy([1, 2], ("a", "b", "c")))  # type: ignore[arg-type]
    assert simulated(own, digits) is own.oracle
    model = Recipe("a", Random(), None, Random(), oracle=Model(np.eye(3), ("a", "b", "c")))  # type: ignore[arg-type]
    assert simulated(model, digits) is model.oracle


def test_dawid_skene_is_for_one_class_per_item(tmp_path: Path) -> None:
    numbers = load(
        np.random.default_rng(0).normal(size=(60, 2)).astype("float32"), labels=np.arange(60.0), task="regression"
    )
    message = (
        "recipe 'greedy_sampling' resolves answers by dawid_skene, which is for one class per item, and the task is "
        "regression: resolve by 'majority' or 'last'"
    )
    with pytest.raises(UnmetNeeds, match=f"^{re.escape(message)}$"):
        Project.create(tmp_path / "a", numbers, learner="linear", resolve="dawid_skene")
    with pytest.raises(BadLabel, match=r"^answer 2.5 is no class: resolve by 'majority'$"):
        dawid_skene([Vote(1, 1, 0, "", "ann", 2.5, 1.0, 0.0)])
    assert dawid_skene([])([Vote(1, 1, 0, "", "ann", "a", 1.0, 0.0)]) is None


def test_noise_is_refused_before_anything_runs_where_labels_are_numbers(tmp_path: Path) -> None:
    numbers = load(
        np.random.default_rng(0).normal(size=(60, 2)).astype("float32"), labels=np.arange(60.0), task="regression"
    )
    message = "mistakes are made between classes, and there are 0: labels must be one class per item"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        aw.run(numbers, oracle="noisy", learner="linear", initial=10, batch=5, rounds=0, out=tmp_path, quiet=True)
    assert not list(tmp_path.iterdir())


def test_crowd_intents_asks_the_best_and_trains_on_their_answers(tmp_path: Path, digits: Data) -> None:
    crowd = Crowd(confusion=(0.6, 0.6, 0.05, 0.6))
    settings = {
        "recipe": "crowd_intents", "learner": None, "strategy": None, "oracle": crowd, "initial": 60, "batch": 20,
        "rounds": 2, "scheme": "crowd_em(steps=60, turns=2)",
    }  # fmt: skip
    with project_of(tmp_path / "a", digits, **settings) as project:
        reports = list(rounds(project, simulated(project.recipe, digits)))
        later = [row.asked_of for row in project.store.questions() if row.round > 0]
        votes = project._fitting()._vote_rows(project._fitting().labels[0])
    assert Counter(later)["annotator-3"] > 20
    assert None not in later
    assert reports[0].cost == 180.0
    assert reports[-1].cost == 220.0
    assert len(votes) == 220


def test_a_scheme_that_reads_votes_is_for_one_class_per_item(tmp_path: Path) -> None:
    numbers = load(
        np.random.default_rng(0).normal(size=(60, 2)).astype("float32"), labels=np.arange(60.0), task="regression"
    )
    message = (
        r"^recipe 'greedy_sampling': scheme CrowdEM\(.*\) reads every annotator's answers, which must be one class "
    )
    with pytest.raises(UnmetNeeds, match=message):
        Project.create(tmp_path / "a", numbers, scheme="crowd_em")
