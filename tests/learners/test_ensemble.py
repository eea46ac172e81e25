"""Ensembles: members, draws, means, resamples, files, and the parts of the engine that look inside them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

import askwell as aw
from askwell.core.learner import FitReport, Job, Learner
from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PREDICTIONS, MC_PROBS, PREDICTIONS, PROBS
from askwell.core.pool import Form
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.data import load
from askwell.engine.assemble import assemble
from askwell.engine.package import based, reads_features
from askwell.engine.project import Project
from askwell.errors import BadData, InputError, UnmetNeeds
from askwell.functional.information import bald, entropy_of_mean, vr_votes
from askwell.learners import Ensemble, Linear, Net, Sklearn
from askwell.models import MLP
from askwell.recipes.plain import plain
from askwell.schemes import Supervised
from askwell.strategies import Margin
from askwell.tasks import Classification
from askwell.testing.fakes import FakePool
from askwell.testing.toys import toy

SHORT = Supervised(steps=15, batch=18, lr=2e-2, stop=())
NET = Net(MLP(width=8, depth=1))
FOREST = Sklearn("random_forest", {"n_estimators": 4})
VECTORS = Form("vector", (8,))


def fitted(factory, scheme=None, task="classification", **job):
    problem = toy("vector", task=task)
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, problem.job(**job), Seeds(1))
    return problem, learner


def alone(problem, factory, scheme, place, job=None):
    """One member, trained by itself."""
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, job or problem.job(), Seeds(1).child("member", place))
    return learner


def computed(problem, learner, *needs):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(2))


def drawn_alone(problem, learner, need=PROBS):
    return computed(problem, learner, need)[need]


def test_a_draw_is_what_a_model_from_a_seed_of_its_own_says():
    problem, learner = fitted(Ensemble(3, NET), SHORT)
    found = computed(problem, learner, MC_PROBS(draws=3), PROBS)
    members = [drawn_alone(problem, alone(problem, NET, SHORT, place)) for place in range(3)]
    assert torch.equal(found[MC_PROBS(draws=3)], torch.stack(members, 1))
    assert_close(found[PROBS], sum(members) / 3)
    assert_close(learner.predict(problem.pool, problem.unlabelled), found[PROBS])


def test_members_do_not_depend_on_how_many_there_are():
    problem, few = fitted(Ensemble(2, NET), SHORT)
    _, more = fitted(Ensemble(4, NET), SHORT)
    need = MC_PROBS(draws=2)
    assert torch.equal(computed(problem, few, need)[need], computed(problem, more, need)[need])


def test_all_else_is_of_the_first_member():
    problem, learner = fitted(Ensemble(3, NET), SHORT)
    found, first = computed(problem, learner, EMBEDDING, HEAD, LOGITS), alone(problem, NET, SHORT, 0)
    assert torch.equal(found[EMBEDDING], drawn_alone(problem, first, EMBEDDING))
    assert_close(found[HEAD](found[EMBEDDING]), found[LOGITS])


def test_members_from_different_seeds_disagree():
    """Members of one seed would all be the same, and every score of disagreement 0."""
    problem, learner = fitted(Ensemble(5, NET), Supervised(steps=3, stop=()))
    need = MC_PROBS(draws=5)
    rows = computed(problem, learner, need)[need]
    assert all(not torch.equal(rows[:, one], rows[:, two]) for one in range(5) for two in range(one))
    assert float(bald(rows).mean()) > 1e-4


def test_numbers_are_drawn_in_their_units():
    problem, learner = fitted(Ensemble(3, NET), Supervised(steps=80, lr=2e-2, stop=()), "regression")
    need = MC_PREDICTIONS(draws=3)
    found = computed(problem, learner, need, PREDICTIONS)
    assert found[need].shape == (len(problem.unlabelled), 3, 1)
    assert_close(found[need].mean(1), found[PREDICTIONS])
    assert float((found[PREDICTIONS][:, 0] - problem.truth[problem.unlabelled]).abs().mean()) < 5


def test_a_bag_learns_items_drawn_with_replacement():
    weights = torch.linspace(0.5, 2, 36)
    problem, learner = fitted(Ensemble(2, Linear(), bootstrap=True), weights=weights)
    found = computed(problem, learner, MC_PROBS(draws=2))[MC_PROBS(draws=2)]
    for place in range(2):
        drawn = torch.randint(36, (36,), generator=Seeds(1).child("member", place).torch("bootstrap"))
        assert len(drawn.unique()) < 30
        job = problem.job(problem.labelled[drawn], weights=weights[drawn])
        assert_close(found[:, place], drawn_alone(problem, alone(problem, Linear(), None, place, job)))


def test_each_warm_member_goes_on_from_itself():
    warm = Supervised(steps=5, stop=(), policy="warm")
    problem, learner = fitted(Ensemble(2, NET), warm)
    before = learner.state()
    learner.fit(problem.pool, problem.job(previous=before, round=1), Seeds(1))
    for place in range(2):
        own = {key.removeprefix(f"member.{place}."): value for key, value in before.items() if f".{place}." in key[:9]}
        member = alone(problem, NET, warm, place, problem.job(previous=own, round=1))
        assert all(torch.equal(learner.state()[f"member.{place}.{key}"], to) for key, to in member.state().items())


def test_one_file_holds_all_members(tmp_path):
    problem, learner = fitted(Ensemble(3, FOREST))
    learner.save(tmp_path / "m.safetensors")
    assert {key.rpartition(".")[0] for key in load_file(tmp_path / "m.safetensors")} == {
        "member.0", "member.1", "member.2",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    other = Ensemble(2, FOREST)
    with pytest.raises(BadData) as caught:
        other.build(problem.pool.form, problem.task, None).load(tmp_path / "m.safetensors")
    assert str(caught.value) == f"{tmp_path}/m.safetensors does not hold the 2 members of {other!r}"


@dataclass(frozen=True)
class Voters:
    """Learners that vote for one class each: of 0, 0, 1, 2, 0, in the order in which they are fitted."""

    uses_scheme: ClassVar[bool] = False
    votes: ClassVar[Iterator[int]] = iter(())

    def build(self, form, task, scheme, device="cpu"):
        return Voter()


class Voter(Learner):
    vote = 0
    provides = frozenset({PROBS.name})

    def fit(self, pool, job, seeds, progress=None):
        self.vote = next(Voters.votes)
        if progress is not None:
            progress("train", 1, 2)
        return FitReport(steps=2, updates={"task": 2}, losses={"task": float(self.vote)}, stopped="voted")

    def compute(self, pool, needs, sets, seeds, out=None):
        found: dict[Any, Any] = {}
        for need in needs:
            found[need] = torch.eye(3)[self.vote].repeat(len(sets[need.over]), 1)
        return found

    def predict(self, pool, ids):
        return torch.eye(3)[self.vote].repeat(len(ids), 1)

    def state(self):
        return {}

    def save(self, path):
        return ""

    def load(self, path):
        raise AssertionError


@pytest.fixture
def voters():
    Voters.votes = iter((0, 0, 1, 2, 0))
    problem = toy("vector")
    return problem, Ensemble(5, Voters()).build(problem.pool.form, problem.task, None)


def test_votes_of_the_card(voters):
    """Five members that vote 0, 0, 1, 2, 0: two of five leave the most voted class."""
    problem, learner = voters
    learner.fit(problem.pool, problem.job(), Seeds(1))
    need = MC_PROBS(draws=5)
    found = computed(problem, learner, need, PROBS)
    assert_close(vr_votes(found[need]), torch.full((len(problem.unlabelled),), 0.4))
    assert_close(found[PROBS][0], torch.tensor([0.6, 0.2, 0.2]))
    assert learner.predict(problem.pool, problem.test)[0].tolist() == pytest.approx([0.6, 0.2, 0.2])


def test_reports_and_progress_are_of_all_members(voters):
    problem, learner = voters
    seen = []
    report = learner.fit(problem.pool, problem.job(), Seeds(1), lambda *step: seen.append(step))
    assert seen == [("train", 1 + 2 * place, 10) for place in range(5)]
    assert (report.steps, report.updates, report.losses, report.stopped) == (10, {"task": 10}, {"task": 0.6}, "voted")


def test_a_failed_fit_leaves_the_last_one(voters):
    problem, learner = voters
    learner.fit(problem.pool, problem.job(), Seeds(1))
    Voters.votes = iter((1, 1))
    with pytest.raises(StopIteration):
        learner.fit(problem.pool, problem.job(), Seeds(1))
    assert [member.vote for member in learner.members] == [0, 0, 1, 2, 0]


def test_members_that_cannot_differ_are_told(caplog):
    problem, learner = fitted(Ensemble(3, Linear()))
    with caplog.at_level(logging.WARNING, "askwell"):
        computed(problem, learner, MC_PROBS(draws=3))
    assert [record.getMessage() for record in caplog.records] == [
        f"all 3 members say the same of {len(problem.unlabelled)} items: set bootstrap, or choose a learner whose fit "
        "depends on its seed"
    ]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Ensemble(1), "members must be at least 2, got 1"),
        (lambda: Ensemble(of=3), "`of` must be a learner, such as Net() or Linear(), got 3"),
    ],
)
def test_bad_settings_are_refused(make, text):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == text


def test_no_more_draws_than_members():
    problem, learner = fitted(Ensemble(2, Linear(), bootstrap=True))
    with pytest.raises(UnmetNeeds) as caught:
        computed(problem, learner, MC_PROBS(draws=3))
    assert str(caught.value) == (
        "mc_probs(draws=3) asks for 3 members and the ensemble has 2: set draws to 2 or less, or train more members"
    )


def test_too_many_draws_are_refused_before_anything_is_trained(tmp_path, rows):
    with pytest.raises(UnmetNeeds) as caught:
        Project.create(tmp_path / "p", rows, strategy="bald", learner=Ensemble(3, NET), scheme=SHORT)
    assert str(caught.value) == (
        "recipe 'bald': strategy 'bald' needs mc_probs(draws=20) and the learner has 3 members: set draws to 3 or "
        "less, or members to 20"
    )


def test_a_model_and_its_precision_go_to_the_members():
    recipe = assemble("ensemble", form=VECTORS, model="mlp(width=3)", precision="bfloat16")
    assert recipe.learner == Ensemble(5, Net(MLP(width=3), precision="bfloat16"))
    assert assemble("ensemble", form=VECTORS).learner == Ensemble(5, Net(MLP()))
    forests = assemble("ensemble", form=VECTORS, model=FOREST)
    assert (forests.learner, forests.scheme) == (Ensemble(5, FOREST), None)


def test_text_and_json_lead_back():
    made = parse("learners", "ensemble(members=3, of=net(model=mlp(width=3)), bootstrap=True)")
    assert made == Ensemble(3, Net(MLP(width=3)), bootstrap=True)
    assert build("learners", config(made)) == made
    assert (made.uses_scheme, Ensemble(of=Linear()).uses_scheme) == (True, False)


@pytest.fixture
def rows():
    problem = toy("vector", 120)
    return load(problem.pool.rows.numpy(), labels=problem.truth.numpy(), classes=["a", "b", "c"], test_size=30)


def test_a_project_and_its_exported_model(tmp_path, rows):
    changes = {"model": MLP(width=8), "scheme": SHORT, "initial": 12, "batch": 5}
    with Project.create(tmp_path / "p", rows, recipe="ensemble", **changes) as project:
        for size in (12, 5):
            for question in project.ask(size):
                project.tell(question.id, rows.labels[question.position])
            project.train()
        wanted = project.predict(calibrate=False).probs
        folder = project.export_model(tmp_path / "model")
    found = aw.load_model(folder).predict(toy("vector", 120).pool.rows.numpy(), calibrate=False)
    np.testing.assert_array_equal(found.probs, wanted)


def test_a_linear_ensemble_on_fixed_features_is_exported_with_them():
    assert reads_features(plain("margin", Margin(), learner=Ensemble(of=Linear()), scheme=None), toy("vector").pool)
    spec = based({"part": "ensemble", "of": {"part": "transformer", "path": "a"}}, "b")
    assert spec == {"part": "ensemble", "of": {"part": "transformer", "path": "b"}}


def test_rare_items_are_asked_more_often_than_they_occur():
    """One of 20 items is rare; over five seeds more than three of 40 that are asked are."""
    truth = (torch.arange(400) % 20 == 0).long()
    none, asked = torch.empty(0, dtype=torch.int64), []
    for seed in range(5):
        noise = torch.randn(400, 8, generator=torch.Generator().manual_seed(seed))
        pool, labelled, rest = FakePool(noise + 2 * truth[:, None]), torch.arange(60), torch.arange(60, 400)
        learner = Ensemble(5, NET).build(pool.form, Classification(("usual", "rare")), SHORT)
        learner.fit(pool, Job(labelled, truth[labelled], rest, none, none), Seeds(seed))
        need = MC_PROBS(draws=5)
        rows = learner.compute(pool, [need], {"candidates": rest}, Seeds(seed))[need]
        asked.append(truth[rest[(vr_votes(rows) + 0.1 * entropy_of_mean(rows)).topk(40).indices]])
    assert float(torch.cat(asked).float().mean()) > 3 / 40
