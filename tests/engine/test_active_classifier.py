"""Active learning behind scikit-learn's interface."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

from askwell.engine.active import ActiveClassifier
from askwell.errors import InputError, PoolExhausted, UnknownName, UnmetNeeds

NET = {"scheme": "supervised(steps=60, lr=0.01)", "model": "mlp(width=32, depth=1)"}


@parametrize_with_checks([ActiveClassifier(learner="linear"), ActiveClassifier("entropy", **NET)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def rows():
    """300 points in three overlapping classes, and their names."""
    rng = np.random.default_rng(0)
    places = rng.integers(0, 3, 300)
    points = np.array([[0, 0], [3, 0], [0, 3]])[places] + rng.normal(size=(300, 2))
    return points, np.array(["ant", "bee", "cat"])[places]


def hidden(labels, known):
    """Labels of which only some are known."""
    shown = np.full(len(labels), None, object)
    shown[known] = labels[known]
    return shown


@pytest.mark.parametrize("parts", [{"learner": "linear"}, NET], ids=["linear", "mlp"])
@pytest.mark.parametrize("strategy", ["margin", "badge", "coreset", "random", "typiclust"])
def test_query_label_fit(rows, strategy, parts):
    points, truth = rows
    y = hidden(truth, np.arange(9))
    model = ActiveClassifier(strategy, random_state=0, **parts)
    for _ in range(3):
        chosen = model.fit(points, y).query(7)
        assert (chosen.dtype, chosen.shape, len(set(chosen.tolist()))) == (np.int64, (7,), 7)
        assert all(y[row] is None for row in chosen)
        y[chosen] = truth[chosen]
    assert model.fit(points, y).score(points, truth) > 0.75


def test_the_choice_is_that_of_the_strategy(rows):
    points, truth = rows
    model = ActiveClassifier("margin", learner="linear").fit(points, hidden(truth, np.arange(30)))
    probs = np.sort(model.predict_proba(points), 1)
    margins = probs[:, -1] - probs[:, -2]
    margins[:30] = np.inf
    assert set(model.query(5).tolist()) == set(np.argsort(margins)[:5].tolist())


def test_the_same_random_state_gives_the_same_rows_and_probabilities(rows):
    points, y = rows[0], hidden(rows[1], np.arange(20))
    one, two, other = (ActiveClassifier("badge", random_state=seed, **NET).fit(points, y) for seed in (1, 1, 2))
    assert np.array_equal(one.query(10), two.query(10))
    assert np.array_equal(one.query(10), one.query(10))
    assert np.array_equal(one.predict_proba(points), two.predict_proba(points))
    assert not np.array_equal(one.predict_proba(points), other.predict_proba(points))


@pytest.mark.parametrize(
    ("y", "missing", "classes"),
    [
        ([0.0, 1.0, np.nan, 1.0, 0.0, np.nan], None, [0.0, 1.0]),
        (["u", "v", None, "v", "u", None], None, ["u", "v"]),
        (["u", "v", np.nan, "v", "u", np.nan], None, ["u", "v"]),
        ([0, 1, -1, 1, 0, -1], -1, [0, 1]),
        (np.array(["u", "v", "", "v", "u", ""]), "", ["u", "v"]),
        (pandas.Series(["u", "v", None, "v", "u", None], dtype="string"), None, ["u", "v"]),
        (pandas.Series([0, 1, None, 1, 0, None], dtype="Int64"), None, [0, 1]),
        ([True, False, None, False, True, None], None, [False, True]),
    ],
)
def test_what_marks_a_row_without_a_label(y, missing, classes):
    points = np.arange(12.0).reshape(6, 2)
    model = ActiveClassifier(learner="linear", missing=missing).fit(points, y)
    assert model.classes_.tolist() == classes
    assert sorted(model.query(2).tolist()) == [2, 5]
    assert set(model.predict(points)) <= set(classes)


def test_a_number_that_looks_like_a_mark_is_a_class_unless_it_is_named(rows):
    y = np.repeat([-1, 0, 1], 100)
    assert ActiveClassifier(learner="linear").fit(rows[0], y).classes_.tolist() == [-1, 0, 1]


@pytest.mark.parametrize("mark", [-1, np.int64(-1), -1.0])
def test_a_mark_is_the_same_number_as_a_whole_number_and_as_a_float(rows, mark):
    points, _ = rows
    y = np.where(np.arange(300) < 20, np.arange(300) % 2, -1.0)
    assert ActiveClassifier(learner="linear", missing=mark).fit(points, y).classes_.tolist() == [0, 1]


def test_texts_and_numbers_are_not_mixed(rows):
    points, _ = rows
    with pytest.raises(InputError) as error:
        ActiveClassifier(learner="linear").fit(points[:3], ["ant", 1, None])
    assert str(error.value) == "y mixes texts and numbers: give labels of one type"


def test_one_class_is_certain_and_the_choice_is_random(rows):
    y = hidden(rows[1], [])
    y[[3, 4]] = "bee"
    model = ActiveClassifier(learner="linear", random_state=0).fit(rows[0], y)
    assert (model.classes_.tolist(), model.predict_proba(rows[0]).tolist()) == (["bee"], [[1.0]] * 300)
    assert not {3, 4} & set(model.query(250).tolist())


def test_all_labels_are_plain_supervised_learning(rows):
    model = ActiveClassifier(learner="linear", random_state=0).fit(*rows)
    assert model.score(*rows) > 0.85
    with pytest.raises(PoolExhausted) as error:
        model.query(1)
    assert str(error.value) == "cannot choose 1 items from 0 candidates: ask for 1 to 0"


def test_more_than_there_are_is_refused(rows):
    model = ActiveClassifier(learner="linear").fit(rows[0], hidden(rows[1], np.arange(290)))
    assert len(model.query(10)) == 10
    with pytest.raises(PoolExhausted):
        model.query(11)
    with pytest.raises(InputError, match=r"n must be a whole number, got 1\.5"):
        model.query(1.5)


def test_before_the_first_fit_there_is_nothing_to_ask(rows):
    with pytest.raises(NotFittedError):
        ActiveClassifier().query(1)


def test_labels_that_are_none_are_refused(rows):
    with pytest.raises(InputError) as error:
        ActiveClassifier().fit(rows[0], np.full(300, np.nan))
    assert str(error.value) == "y has no label: label at least one row before the first fit, any will do"
    with pytest.raises(InputError, match="y holds infinity"):
        ActiveClassifier().fit(rows[0], np.full(300, np.inf))


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"strategy": "bald", "learner": "linear"}, UnmetNeeds, "strategy 'bald' needs mc_probs"),
        ({"strategy": "margn"}, UnknownName, "unknown strategy 'margn': did you mean 'margin'?"),
        ({"strategy": "margin", "learner": "linear(l3=1)"}, UnknownName, "did you mean 'l2'?"),
        ({"device": "toaster"}, InputError, "device 'toaster' cannot be used"),
    ],
)
def test_parts_that_do_not_fit_are_refused_at_the_fit(rows, parts, error, words):
    model = ActiveClassifier(**parts)
    with pytest.raises(error) as raised:
        model.fit(*rows)
    assert words in str(raised.value)


def test_names_of_columns_are_kept_and_checked(rows):
    frame = pandas.DataFrame(rows[0], columns=["height", "width"])
    model = ActiveClassifier(learner="linear").fit(frame, rows[1])
    assert model.feature_names_in_.tolist() == ["height", "width"]
    assert model.score(frame, rows[1]) > 0.85
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"width": "depth"}))


def test_scales_of_columns_do_not_matter(rows):
    points, y = rows[0], hidden(rows[1], np.arange(60))
    plain, scaled = (ActiveClassifier(random_state=0, **NET).fit(x, y) for x in (points, points * [1e-3, 1e5] + 7))
    assert np.allclose(plain.predict_proba(points), scaled.predict_proba(points * [1e-3, 1e5] + 7), atol=1e-3)


def test_it_works_in_a_pipeline(rows):
    points, truth = rows
    y = hidden(truth, np.arange(12))
    pipeline = make_pipeline(PolynomialFeatures(2), ActiveClassifier("entropy", learner="linear", random_state=0))
    chosen = pipeline.fit(points, y)[-1].query(8)
    assert not set(range(12)) & set(chosen.tolist())
    y[chosen] = truth[chosen]
    assert pipeline.fit(points, y).score(points, truth) > 0.8


def test_it_works_in_a_grid_search(rows):
    grid = {"learner": ["linear(l2=1e6)", "linear(l2=0.1)"], "strategy": ["margin"]}
    search = GridSearchCV(ActiveClassifier(random_state=0), grid, cv=3).fit(*rows)
    assert search.best_params_["learner"] == "linear(l2=0.1)"
    assert search.best_estimator_.score(*rows) > 0.85


def test_scores_are_over_the_rows_with_a_label(rows):
    y = hidden(rows[1], np.arange(0, 300, 2))
    scores = cross_val_score(ActiveClassifier(learner="linear"), rows[0], y, cv=KFold(3, shuffle=True, random_state=0))
    assert scores.min() > 0.7
    model = ActiveClassifier(learner="linear").fit(rows[0], y)
    assert model.score(rows[0], y) == model.score(rows[0][::2], rows[1][::2])


def test_a_copy_and_a_pickle_of_the_user_are_the_same_classifier(rows):
    model = ActiveClassifier(random_state=0, **NET).fit(rows[0], hidden(rows[1], np.arange(30)))
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(rows[0]), model.predict_proba(rows[0]))
    assert np.array_equal(again.query(5), model.query(5))
    assert not hasattr(clone(model), "classes_")


def test_parameters_stay_as_they_were_given():
    model = ActiveClassifier("margin", learner="linear", missing=-1)
    assert model.get_params() == {
        "device": "cpu", "learner": "linear", "missing": -1, "model": None, "random_state": None,
        "scheme": None, "strategy": "margin",
    }  # fmt: skip


def test_the_package_alone_loads_neither_torch_nor_scikit_learn():
    code = (
        "import sys, askwell; assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules); askwell.ActiveClassifier()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
