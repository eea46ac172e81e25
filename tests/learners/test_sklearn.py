"""scikit-learn classifiers as learners: columns, committees, one class, weights, files without pickles."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from askwell.core.needs import EMBEDDING, LOGITS, MC_PROBS, PROBS
from askwell.core.pool import Form
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.errors import BadData, InputError, NotFinite, UnknownName, UnmetNeeds
from askwell.learners import Sklearn
from askwell.learners.sklearn import SHORT
from askwell.schemes import Supervised
from askwell.testing.fakes import FakePool
from askwell.testing.toys import toy

FOREST = Sklearn("random_forest", {"n_estimators": 8})
BAGGING = Sklearn("bagging", {"n_estimators": 8, "max_features": 0.5})


class Unweighted(ClassifierMixin, BaseEstimator):
    """The least that a classifier does."""

    def fit(self, X, y):  # noqa: N803 - scikit-learn's name
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):  # noqa: N803 - scikit-learn's name
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Voteless(ClassifierMixin, BaseEstimator):
    """Says nothing but its decision."""

    def fit(self, X, y):  # noqa: N803 - scikit-learn's name
        return self

    def predict(self, X):  # noqa: N803 - scikit-learn's name
        return np.zeros(len(X), np.int64)


def fitted(factory, labelled=None, kind="vector", **job):
    problem = toy(kind)
    learner = factory.build(problem.pool.form, problem.task, None)
    report = learner.fit(problem.pool, problem.job(labelled, **job), Seeds(1))
    return problem, learner, report


def computed(problem, learner, needs, ids=None):
    ids = problem.unlabelled if ids is None else ids
    return learner.compute(problem.pool, needs, {"candidates": ids}, Seeds(2))


@pytest.mark.parametrize("name", sorted(SHORT))
def test_every_short_name_learns_the_toy(name):
    settings = {"min_samples_leaf": 2} if name == "gradient_boosting" else {}
    problem, learner, _ = fitted(Sklearn(name, settings))
    right = learner.predict(problem.pool, problem.test).argmax(1) == problem.truth[problem.test]
    assert float(right.float().mean()) >= 0.95


def test_probabilities_are_those_of_the_estimator():
    problem, learner, _ = fitted(FOREST)
    rows = problem.pool.rows.numpy()
    reference = RandomForestClassifier(n_estimators=8, random_state=Seeds(1)("fit") % 2**32)
    reference.fit(rows[:36], problem.truth[:36])
    found = computed(problem, learner, (PROBS,))[PROBS]
    np.testing.assert_allclose(found, reference.predict_proba(rows[problem.unlabelled]), atol=1e-6)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("factory", [Sklearn(), FOREST, BAGGING], ids=["logistic", "forest", "bagging"])
def test_classes_without_a_label_have_a_column_of_zeros(factory):
    labelled = torch.arange(36)[torch.arange(36) % 3 != 1]
    problem, learner, report = fitted(factory, labelled)
    needs = (PROBS, MC_PROBS(draws=4)) if factory is not FOREST and "mc_probs" in learner.provides else (PROBS,)
    for rows in computed(problem, learner, needs).values():
        assert rows.shape[-1] == 3
        assert not rows[..., 1].any()
        torch.testing.assert_close(rows.sum(-1), torch.ones(rows.shape[:-1]))
    assert report.notes["classes_seen"] == 2


@pytest.mark.parametrize("factory", [FOREST, BAGGING], ids=["forest", "bagging"])
def test_members_are_draws(factory):
    problem, learner, _ = fitted(factory)
    found = computed(problem, learner, (PROBS, MC_PROBS(draws=8), MC_PROBS(draws=3)))
    members = found[MC_PROBS(draws=8)]
    torch.testing.assert_close(members.mean(1), found[PROBS])
    assert torch.equal(found[MC_PROBS(draws=3)], members[:, :3])
    assert float(members.std(1).max()) > 0


def test_a_bagged_member_may_have_missed_a_class():
    """Members that cannot weigh items are fitted on some of them only; their columns are the right ones."""
    settings = {"estimator": Sklearn("k_neighbors", {"n_neighbors": 1}), "n_estimators": 12, "max_samples": 2}
    problem, learner, _ = fitted(Sklearn("bagging", settings), torch.arange(6))
    members = computed(problem, learner, (MC_PROBS(draws=12), PROBS))
    assert any(len(member.classes_) < 3 for member in learner._model.estimators_)
    torch.testing.assert_close(members[MC_PROBS(draws=12)].mean(1), members[PROBS])


def test_more_draws_than_members_are_refused():
    problem, learner, _ = fitted(FOREST)
    with pytest.raises(UnmetNeeds) as caught:
        computed(problem, learner, (MC_PROBS,))
    assert str(caught.value) == (
        "mc_probs(draws=20) needs 20 members and RandomForestClassifier has 8: set n_estimators to 20 or more"
    )


@pytest.mark.parametrize("factory", [Sklearn(), FOREST], ids=["logistic", "forest"])
def test_one_labelled_class_is_certain(factory):
    problem, learner, report = fitted(factory, torch.tensor([2, 5, 8]))
    found = learner.predict(problem.pool, problem.unlabelled)
    assert torch.equal(found, torch.tensor([0.0, 0.0, 1.0]).expand_as(found))
    assert report.notes["classes_seen"] == 1
    if factory is FOREST:
        assert computed(problem, learner, (MC_PROBS(draws=4),))[MC_PROBS(draws=4)].shape == (48, 4, 3)


def test_weights_reach_the_estimator():
    problem = toy("vector")
    heavy = torch.where(problem.truth[:36] == 0, 50.0, 0.01)
    _, learner, _ = fitted(Sklearn(settings={"C": 0.001}), weights=heavy)
    assert bool((learner.predict(problem.pool, problem.unlabelled).argmax(1) == 0).all())
    with pytest.raises(UnmetNeeds) as caught:
        fitted(Sklearn(f"{__name__}:Unweighted"), weights=heavy)
    assert str(caught.value) == "Unweighted cannot weigh items: its fit() takes no sample_weight"


def test_texts_are_read_as_features_and_images_flat():
    problem, learner, _ = fitted(Sklearn(), kind="tokens")
    assert learner.state()["inputs"].shape == (36, problem.pool.features().shape[1])
    assert problem.pool.read == []
    problem, learner, _ = fitted(Sklearn(), kind="image")
    assert learner.state()["inputs"].shape == (36, 64)
    assert {reading.mode for reading in problem.pool.read} == {"eval"}


def test_warnings_of_the_estimator_go_to_the_report():
    _, _, report = fitted(Sklearn("mlp", {"max_iter": 2}))
    assert "Maximum iterations (2) reached" in report.notes["warnings"][0]
    assert json.dumps(report.notes)


def test_seeds_reach_every_random_state_that_is_open():
    factory = Sklearn("sklearn.ensemble:BaggingClassifier", {"n_estimators": 3, "random_state": 5})
    _, learner, _ = fitted(factory)
    assert learner._model.random_state == 5
    _, learner, _ = fitted(FOREST)
    assert learner._model.random_state == Seeds(1)("fit") % 2**32


@pytest.mark.parametrize("factory", [FOREST, Sklearn("mlp", {"max_iter": 30})], ids=["forest", "mlp"])
def test_saved_rows_are_fitted_again_to_the_same_bits(tmp_path, factory):
    problem, learner, _ = fitted(factory)
    assert learner.save(tmp_path / "a") == learner.save(tmp_path / "b")
    twin = factory.build(problem.pool.form, problem.task, None)
    twin.load(tmp_path / "a")
    assert torch.equal(twin.predict(problem.pool, problem.test), learner.predict(problem.pool, problem.test))
    assert twin.save(tmp_path / "c") == learner.save(tmp_path / "a")


def test_files_of_other_learners_are_refused_and_other_versions_named(tmp_path):
    problem, learner, _ = fitted(FOREST)
    learner.save(tmp_path / "forest")
    other = Sklearn("extra_trees").build(problem.pool.form, problem.task, None)
    with pytest.raises(BadData, match=r"was not saved by Sklearn\(estimator='extra_trees'.* for Classification"):
        other.load(tmp_path / "forest")
    values = load_file(tmp_path / "forest")
    about = json.loads(bytes(values["about"].tolist()))
    aged = json.dumps({**about, "sklearn": "0.1"}).encode()
    save_file({**values, "about": torch.tensor(list(aged), dtype=torch.uint8)}, tmp_path / "old")
    with pytest.warns(UserWarning, match=r"was fitted by scikit-learn 0\.1 and is fitted again by"):
        learner.load(tmp_path / "old")


CALIBRATED = Sklearn("sklearn.calibration:CalibratedClassifierCV", {"estimator": Sklearn("sklearn.svm:LinearSVC")})


@pytest.mark.parametrize("factory", [FOREST, CALIBRATED], ids=["plain", "nested"])
def test_settings_survive_json_and_text(factory):
    assert build("learners", json.loads(json.dumps(config(factory)))) == factory
    assert parse("learners", repr(factory).replace("Sklearn", "sklearn")) == factory


def test_an_estimator_around_another():
    problem, learner, _ = fitted(CALIBRATED)
    assert type(learner._model.estimator).__name__ == "LinearSVC"
    assert learner._model.estimator.random_state == Seeds(1)("fit") % 2**32
    assert (
        float((learner.predict(problem.pool, problem.test).argmax(1) == problem.truth[problem.test]).float().mean())
        > 0.9
    )


class Featureless(FakePool):
    def features(self):
        return None


@pytest.mark.parametrize(
    ("factory", "error", "message"),
    [
        (Sklearn("random_forst"), UnknownName, "unknown estimator 'random_forst': did you mean 'random_forest'"),
        (Sklearn("sklearn.svn:SVC"), InputError, "estimator 'sklearn.svn:SVC': there is no module 'sklearn.svn'"),
        (Sklearn("sklearn.svm:SVX"), UnknownName, "unknown estimator in 'sklearn.svm': 'SVX': did you mean 'SV"),
        (Sklearn("k_neighbors", {"neighbors": 3}), UnknownName, "'neighbors': did you mean 'n_neighbors'"),
        (
            Sklearn(f"{__name__}:Voteless"),
            UnmetNeeds,
            "Voteless' gives no probabilities: choose one with predict_proba",
        ),
        (Sklearn("sklearn.pipeline:Pipeline"), InputError, "'sklearn.pipeline:Pipeline' needs steps: give settings"),
        (Sklearn("torch.nn:ReLU"), InputError, "'torch.nn:ReLU' is no scikit-learn estimator: build it on"),
        (Sklearn("svm", {"decision_function_shape": "ovo"}), UnmetNeeds, "decides between pairs of classes: set"),
    ],
)
def test_what_cannot_be_made_is_refused(factory, error, message):
    with pytest.raises(error, match=message):
        factory.build(Form("vector", (8,)), toy("vector").task, None)


def test_what_else_it_refuses():
    problem = toy("vector")
    with pytest.raises(UnmetNeeds, match="has its own way to fit and takes no scheme"):
        FOREST.build(problem.pool.form, problem.task, Supervised())
    with pytest.raises(InputError, match="KNeighborsClassifier cannot be fitted on no labelled items"):
        fitted(Sklearn("k_neighbors"), torch.empty(0, dtype=torch.int64))
    learner = Sklearn(features=True).build(problem.pool.form, problem.task, None)
    with pytest.raises(UnmetNeeds, match="reads fixed features and there are none"):
        learner.fit(Featureless(problem.pool.rows), problem.job(), Seeds(0))
    with pytest.raises(UnmetNeeds, match="this learner has not been fitted"):
        learner.predict(problem.pool, problem.test)
    _, learner, _ = fitted(Sklearn("k_neighbors"), torch.arange(3))
    with pytest.raises(InputError, match="KNeighborsClassifier cannot predict: Expected n_neighbors <= n_samples_fit"):
        learner.predict(problem.pool, problem.test)
    with pytest.raises(UnmetNeeds, match="there is no embedding: there is probs"):
        computed(*fitted(Sklearn())[:2], (EMBEDDING,))


def test_hard_votes_are_refused_after_the_fit_that_shows_them():
    named = (("a", Sklearn()), ("b", Sklearn("naive_bayes")))
    with pytest.raises(UnmetNeeds, match="gives no probabilities: choose one with predict_proba or decision_function"):
        fitted(Sklearn("sklearn.ensemble:VotingClassifier", {"estimators": named}))
    _, learner, _ = fitted(Sklearn("sklearn.ensemble:StackingClassifier", {"estimators": named, "cv": 2}))
    assert learner.provides == {"probs"}


@pytest.mark.parametrize("classes", [2, 3])
def test_decisions_stand_in_for_probabilities(classes):
    labelled = torch.arange(36)[torch.arange(36) % 3 < classes]
    problem, learner, _ = fitted(Sklearn("svm"), labelled)
    rows = problem.pool.rows.numpy()
    reference = SVC().fit(rows[labelled], problem.truth[labelled])
    decided = torch.from_numpy(reference.decision_function(rows[problem.unlabelled])).float()
    wanted = torch.stack([-decided / 2, decided / 2], 1) if classes == 2 else decided
    found = computed(problem, learner, (PROBS, LOGITS))
    torch.testing.assert_close(found[LOGITS][:, :classes], wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[LOGITS].softmax(1), found[PROBS])
    assert not found[PROBS][:, classes:].any()


def test_a_committee_whose_members_only_vote():
    bag = Sklearn("bagging", {"estimator": Sklearn("sklearn.svm:LinearSVC"), "n_estimators": 6})
    problem, learner, _ = fitted(bag)
    found = computed(problem, learner, (PROBS, MC_PROBS(draws=6)))
    assert set(found[MC_PROBS(draws=6)].unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(found[MC_PROBS(draws=6)].mean(1), found[PROBS])


class Stumbles(LogisticRegression):
    """Fails in its own way, and at length."""

    def predict_proba(self, X):  # noqa: N803
        return [][len(X)]

    def fit(self, X, y):  # noqa: N803
        if len(X) == 3:
            raise KeyError("no such\n" + "row " * 200)
        return super().fit(X, y)


def test_whatever_an_estimator_raises_is_one_short_sentence_about_it():
    problem, learner, _ = fitted(Sklearn(f"{__name__}:Stumbles"))
    with pytest.raises(InputError) as caught:
        learner.predict(problem.pool, problem.test)
    assert str(caught.value) == "Stumbles cannot predict: list index out of range"
    with pytest.raises(InputError, match=r"^Stumbles cannot be fitted on 3 labelled items: 'no such") as caught:
        fitted(Sklearn(f"{__name__}:Stumbles"), torch.arange(3))
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
def test_answers_that_are_no_numbers_are_refused():
    """Far from all labelled rows the kernel of LabelSpreading underflows, and 0 / 0 is its probability."""
    problem, learner, _ = fitted(Sklearn("sklearn.semi_supervised:LabelSpreading", {"gamma": 1e9}))
    with pytest.raises(NotFinite) as caught:
        learner.predict(problem.pool, problem.test)
    assert str(caught.value) == (
        "LabelSpreading gives probs that are NaN or infinite: bring the columns to one scale, or change its settings"
    )
