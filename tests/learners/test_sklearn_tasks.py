"""scikit-learn with several labels and with numbers, and estimators of one's own as parts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import ClassifierChain
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from askwell.core.needs import LABEL_PROBS, MC_LABEL_PROBS, MC_PREDICTIONS, MC_PROBS, PREDICTIONS
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.errors import InputError, UnmetNeeds
from askwell.learners import Sklearn
from askwell.testing.toys import toy

SEED = Seeds(1)("fit") % 2**32


def fitted(factory, task, labelled=None):
    problem = toy("vector", task=task)
    learner = factory.build(problem.pool.form, problem.task, None)
    report = learner.fit(problem.pool, problem.job(labelled), Seeds(1))
    return problem, learner, report


def computed(problem, learner, *needs):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(2))


# ---------------------------------------------------------------------- several labels


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(8), KNeighborsClassifier(3), MLPClassifier((16,), max_iter=400), LogisticRegression(),
        LinearSVC(), BaggingClassifier(LogisticRegression(), 4), ClassifierChain(LogisticRegression()),
        make_pipeline(StandardScaler(), RandomForestClassifier(8)), Sklearn("ridge").make(),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_labels_are_learnt_natively_or_one_by_one(estimator):
    """Two labels vary and cedar is never there; of ash alone there are two sorts of items."""
    problem, learner, report = fitted(Sklearn.of(estimator), "multi_label")
    found = computed(problem, learner, LABEL_PROBS)[LABEL_PROBS]
    assert problem.task.encode(problem.task.decide(found)).equal(problem.targets(problem.unlabelled))
    assert not found[:, 2].any()
    assert report.notes["labels_seen"] == 2
    problem, learner, _ = fitted(Sklearn.of(estimator), "multi_label", torch.arange(36)[torch.arange(36) % 3 < 2])
    found = computed(problem, learner, LABEL_PROBS)[LABEL_PROBS]
    assert bool((found[:, 0] == 1).all())
    sure = problem.unlabelled % 3 < 2
    assert ((found[:, 1] >= 0.5) == problem.truth[problem.unlabelled, 1].bool())[sure].all()


def test_probabilities_of_labels_are_those_of_scikit_learn():
    problem, forest, _ = fitted(Sklearn("random_forest", {"n_estimators": 8}), "multi_label")
    rows, labels = problem.pool.rows.numpy(), problem.truth.numpy()
    reference = RandomForestClassifier(8, random_state=SEED).fit(rows[:36], labels[:36, :2])
    wanted = np.stack([one[:, 1] for one in reference.predict_proba(rows[problem.unlabelled])], 1)
    np.testing.assert_allclose(computed(problem, forest, LABEL_PROBS)[LABEL_PROBS][:, :2], wanted, atol=1e-6)
    problem, logistic, _ = fitted(Sklearn(), "multi_label")
    one = LogisticRegression().fit(rows[:36], labels[:36, 1]).predict_proba(rows[problem.unlabelled])[:, 1]
    np.testing.assert_allclose(computed(problem, logistic, LABEL_PROBS)[LABEL_PROBS][:, 1], one, atol=1e-6)


@pytest.mark.parametrize(
    "factory",
    [
        Sklearn("random_forest", {"n_estimators": 6}),
        Sklearn("bagging", {"n_estimators": 6, "max_features": 0.5}),
        Sklearn.of(make_pipeline(StandardScaler(), RandomForestClassifier(6))),
    ],
    ids=["forest", "bags per label", "forest in a pipeline"],
)
@pytest.mark.parametrize("sorts", [2, 3])
def test_members_draw_labels(factory, sorts):
    problem, learner, _ = fitted(factory, "multi_label", torch.arange(36)[torch.arange(36) % 3 < sorts])
    need = MC_LABEL_PROBS(draws=6)
    found = computed(problem, learner, LABEL_PROBS, need)
    assert found[need].shape == (48, 6, 3)
    torch.testing.assert_close(found[need].mean(1), found[LABEL_PROBS])
    assert float(found[need].std(1).max()) > 0


def test_labels_that_never_differ_need_no_fit():
    problem, learner, _ = fitted(Sklearn("random_forest"), "multi_label", torch.tensor([1, 4]))
    assert learner.predict(problem.pool, problem.test).unique(dim=0).tolist() == [[1.0, 1.0, 0.0]]
    assert computed(problem, learner, MC_LABEL_PROBS(draws=2))[MC_LABEL_PROBS(draws=2)].shape == (48, 2, 3)


# ---------------------------------------------------------------------- numbers


def test_numbers_are_those_of_the_regressor_and_its_members():
    problem, learner, _ = fitted(Sklearn("random_forest", {"n_estimators": 7}), "regression")
    rows = problem.pool.rows.numpy()
    reference = RandomForestRegressor(7, random_state=SEED).fit(rows[:36], problem.truth[:36])
    need = MC_PREDICTIONS(draws=7)
    found = computed(problem, learner, PREDICTIONS, need)
    np.testing.assert_allclose(found[PREDICTIONS][:, 0], reference.predict(rows[problem.unlabelled]), rtol=1e-6)
    assert found[need].shape == (48, 7, 1)
    torch.testing.assert_close(found[need].mean(1), found[PREDICTIONS])
    assert learner.provides == {"predictions", "mc_predictions"}


@pytest.mark.parametrize("name", ["bagging", "extra_trees", "gradient_boosting", "k_neighbors", "ridge"])
def test_short_names_mean_the_regressor(name):
    settings = {"min_samples_leaf": 2} if name == "gradient_boosting" else {}
    problem, learner, _ = fitted(Sklearn(name, settings), "regression")
    found = problem.task.metrics(learner.predict(problem.pool, problem.test), problem.targets(problem.test))
    assert found["r2"] > 0.95


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("name", ["mlp", "svm"])
def test_short_names_learn_labels_of_any_scale(name):
    """Thousands away from zero and from each other, where epsilon = 0.1 and small steps mean nothing."""
    problem = toy("vector", task="regression")
    learner = Sklearn(name).build(problem.pool.form, problem.task, None)
    job = problem.job()
    learner.fit(problem.pool, replace(job, targets=5000 + 1000 * job.targets), Seeds(1))
    found = (learner.predict(problem.pool, problem.test) - 5000) / 1000
    assert problem.task.metrics(found, problem.targets(problem.test))["r2"] > 0.9


def test_a_regressor_of_ones_own_learns_labels_as_they_are():
    problem, learner, _ = fitted(Sklearn.of(SVR(epsilon=0.5)), "regression")
    rows = problem.pool.rows.numpy()
    reference = SVR(epsilon=0.5).fit(rows[:36], problem.truth[:36]).predict(rows[problem.test])
    np.testing.assert_allclose(learner.predict(problem.pool, problem.test)[:, 0], reference, rtol=1e-5)


def test_weights_reach_a_regressor_through_the_scale_of_its_labels():
    problem = toy("vector", task="regression")
    job = problem.job()
    learner = Sklearn("svm").build(problem.pool.form, problem.task, None)
    learner.fit(problem.pool, job, Seeds(1))
    before = learner.predict(problem.pool, problem.test)
    learner.fit(problem.pool, replace(job, weights=torch.linspace(0.01, 5, 36)), Seeds(1))
    assert not torch.equal(learner.predict(problem.pool, problem.test), before)


@pytest.mark.parametrize("name", ["extra_trees", "svm"])
def test_a_regressor_is_saved_as_its_rows(tmp_path, name):
    problem, learner, _ = fitted(Sklearn(name), "regression")
    learner.save(tmp_path / "trees")
    twin = learner.factory.build(problem.pool.form, problem.task, None)
    twin.load(tmp_path / "trees")
    assert twin.predict(problem.pool, problem.test).equal(learner.predict(problem.pool, problem.test))


@pytest.mark.parametrize(
    ("factory", "task", "message"),
    [
        (
            Sklearn("sklearn.svm:SVR"), "classification",
            "estimator 'sklearn.svm:SVR' is a regressor and the labels of task Classification(classes=('ash', 'birch', "
            "'cedar')) are no numbers: choose a classifier, such as random_forest, logistic_regression or module:Class",
        ),
        (
            Sklearn(), "regression",
            "estimator 'sklearn.linear_model:LogisticRegression' is a classifier and task Regression(mean=0.0, "
            "scale=1.0) has numbers for labels: choose a regressor, such as random_forest, ridge or module:Class",
        ),
        (
            Sklearn("naive_bayes"), "regression",
            "estimator 'naive_bayes' learns classes and the labels are numbers: choose one of bagging, extra_trees, "
            "gradient_boosting, k_neighbors, mlp, random_forest, ridge, svm",
        ),
        (
            Sklearn.of(ClassifierChain(LogisticRegression())), "classification",
            "estimator 'sklearn.multioutput:ClassifierChain' learns several labels per item and those of task "
            "Classification(classes=('ash', 'birch', 'cedar')) have one: choose one for a single label",
        ),
        (
            Sklearn("sklearn.linear_model:MultiTaskLasso"), "regression",
            "estimator 'sklearn.linear_model:MultiTaskLasso' learns several labels per item and those of task "
            "Regression(mean=0.0, scale=1.0) have one: choose one for a single label",
        ),
    ],
)  # fmt: skip
def test_estimators_of_the_other_kind_are_refused(factory, task, message):
    problem = toy("vector", task=task)
    with pytest.raises(UnmetNeeds) as caught:
        factory.build(problem.pool.form, problem.task, None)
    assert str(caught.value) == message


@pytest.mark.parametrize("task", ["classification", "multi_label", "regression"])
def test_an_estimator_serves_without_its_rows(task):
    problem, learner, _ = fitted(Sklearn("random_forest", {"n_estimators": 4}), task)
    twin = learner.factory.build(problem.pool.form, problem.task, None)
    twin.serve(learner.estimator, torch.tensor(json.loads(json.dumps(learner.seen.tolist())), dtype=torch.int64))
    for need in (MC_PROBS, MC_LABEL_PROBS, MC_PREDICTIONS):
        if need.name in twin.provides:
            some = need(draws=4)
            assert computed(problem, twin, some)[some].equal(computed(problem, learner, some)[some])
    assert twin.predict(problem.pool, problem.test).equal(learner.predict(problem.pool, problem.test))


# ---------------------------------------------------------------------- estimators as parts


OWN = [
    RandomForestClassifier(n_estimators=7),
    SVC(),
    make_pipeline(StandardScaler(), SVC(C=3)),
    make_pipeline(ColumnTransformer([("x", StandardScaler(), [0, 1]), ("y", "drop", [2])]), LogisticRegression()),
    VotingClassifier([("a", LogisticRegression()), ("b", KNeighborsClassifier(3))], voting="soft", weights=[1, 2]),
    GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2),
    GaussianProcessClassifier(RBF(2.0) + WhiteKernel(0.1)),
    MLPClassifier((8, 4), max_iter=7),
]


@pytest.mark.parametrize("estimator", OWN, ids=lambda one: type(one).__name__)
def test_an_estimator_becomes_a_part_and_back(estimator):
    part = Sklearn.of(estimator)
    assert build("learners", json.loads(json.dumps(config(part)))) == part
    assert parse("learners", repr(part).replace("Sklearn", "sklearn")) == part
    again = part.make()
    assert type(again) is type(estimator)
    assert Sklearn.of(again) == part
    assert repr(again) == repr(estimator)


def test_only_what_differs_from_the_defaults_is_kept():
    assert Sklearn.of(RandomForestClassifier) == Sklearn("sklearn.ensemble:RandomForestClassifier")
    assert Sklearn.of(Ridge(alpha=0.3)) == Sklearn("sklearn.linear_model:Ridge", {"alpha": 0.3})
    part = Sklearn.of(BaggingClassifier(LinearSVC(C=2.0), random_state=4), features=True)
    inner = Sklearn("sklearn.svm:LinearSVC", {"C": 2.0})
    assert part == Sklearn("sklearn.ensemble:BaggingClassifier", {"estimator": inner, "random_state": 4}, True)
    assert type(dict(Sklearn.of(SVC(C=np.float32(2))).settings)["C"]) is float


def test_estimators_among_the_settings_are_parts():
    assert Sklearn("bagging", {"estimator": SVR(C=2.0)}) == Sklearn("bagging", {"estimator": Sklearn.of(SVR(C=2.0))})


def test_a_pipeline_reaches_the_pool_scaled():
    problem, learner, _ = fitted(Sklearn.of(make_pipeline(StandardScaler(), SVC(probability=False))), "classification")
    right = learner.predict(problem.pool, problem.test).argmax(1) == problem.truth[problem.test]
    assert bool(right.all())
    assert learner.provides == {"probs", "logits"}


class Outer:
    class Inner(LogisticRegression):
        pass


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            make_pipeline(FunctionTransformer(np.log1p), SVC()),
            "setting 'func' of estimator 'sklearn.preprocessing:FunctionTransformer' is a ufunc, which cannot be "
            "written as JSON: give numbers, texts, lists or estimators, or a class of your own that sets it",
        ),
        (
            SVC(class_weight={0: 2.0}),
            "setting 'class_weight' of estimator 'sklearn.svm:SVC' is a dict, which cannot be written as JSON: give "
            "numbers, texts, lists or estimators, or a class of your own that sets it",
        ),
        (Outer.Inner(), "estimator 'Outer.Inner' cannot be found by name: move it to the top level of a module"),
    ],
    ids=["function", "dict of numbers", "inner class"],
)
def test_what_cannot_be_written_down_is_refused_by_name(estimator, message):
    with pytest.raises(InputError) as caught:
        Sklearn.of(estimator)
    assert str(caught.value) == message
