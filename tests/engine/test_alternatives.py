"""Strategies that do not fit a task are refused with those that would."""

from __future__ import annotations

import numpy as np
import pytest

from askwell.core.spec import parse
from askwell.data import load
from askwell.engine.alternatives import strategies_for
from askwell.engine.assemble import assemble, check
from askwell.errors import UnmetNeeds

SEVERAL = (np.arange(120).reshape(60, 2) % 3 == 0).astype(np.int8)
NUMBERS = np.linspace(-3, 9, 60)


def data(task):
    rows = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    labels = {"multi_label": SEVERAL, "regression": NUMBERS, "classification": np.arange(60) % 3}[task]
    classes = {"multi_label": ["sky", "sea"], "regression": None, "classification": ["a", "b", "c"]}[task]
    return load(rows, labels=labels, classes=classes, task=task, test_size=12)


def refused(task, strategy, **settings):
    given = data(task)
    with pytest.raises(UnmetNeeds) as caught:
        check(assemble(strategy=strategy, form=given.pool.form, kind=task, **settings), given)
    return str(caught.value)


def fitting(said, task):
    """The strategies that a refusal offers."""
    return set(said.partition(f"; strategies for {task} that would fit: ")[2].split(", "))


@pytest.mark.parametrize(
    ("strategy", "needs"),
    [("margin", "probs"), ("entropy", "probs"), ("badge", "probs"), ("class_balance(strategy=margin)", "probs"),
     ("bald", "mc_probs(draws=20)"), ("batch_bald", "mc_probs(draws=20)"), ("latent_score", "latent_score"),
     ("stochastic(strategy=margin)", "probs"), ("predictive_variance", "mc_predictions(draws=20)")],
)  # fmt: skip
def test_several_labels_refuse_what_wants_one(strategy, needs):
    said = refused("multi_label", strategy)
    name = parse("strategies", strategy).name
    assert f"recipe '{name}': strategy '{name}' needs {needs}; there is " in said
    found = fitting(said, "multi_label")
    assert {"binary_entropy", "coreset", "multi_label_bald", "random", "typiclust"} <= found
    assert not found & {"margin", "greedy_sampling", "emoc", "dropquery", name}


@pytest.mark.parametrize("strategy", ["margin", "variation_ratios", "binary_entropy", "multi_label_bald"])
def test_numbers_refuse_what_wants_classes(strategy):
    found = fitting(refused("regression", strategy), "regression")
    assert {"coreset", "greedy_sampling", "predictive_variance", "random", "typiclust"} <= found
    assert not found & {"margin", "binary_entropy", "emoc", "alfa_mix", "pre_clustering"}


@pytest.mark.parametrize("strategy", ["emoc", "pre_clustering", "subsample(strategy=emoc, size=9)"])
def test_one_class_per_item_is_wanted(strategy):
    name = parse("strategies", strategy).name
    said = refused("regression", strategy)
    assert said.startswith(
        f"recipe '{name}': strategy '{name}' reads one class per item, which regression has not; strategies for "
    )


def test_one_class_refuses_the_others():
    said = refused("classification", "greedy_sampling")
    assert "strategy 'greedy_sampling' needs predictions; there is " in said
    assert {"badge", "bald", "batch_bald", "coreset", "entropy", "margin"} <= fitting(said, "classification")


def test_a_start_is_told_what_can_start():
    said = refused("regression", "random", start="coreset")
    assert said.startswith(
        "recipe 'random': strategy 'coreset' needs embedding, embedding@labelled; there is nothing; strategies for "
    )
    found = fitting(said, "regression")
    assert {"random", "typiclust"} <= found
    assert "coreset" not in found


@pytest.mark.parametrize(
    ("task", "strategy"),
    [("multi_label", "binary_entropy"), ("regression", "greedy_sampling"), ("classification", "margin")],
)
def test_what_is_usual_fits(task, strategy):
    given = data(task)
    made = assemble(form=given.pool.form, kind=task)
    check(made, given)
    assert (made.strategy.name, made.task, made.resolve) == (
        strategy, task, "mean" if task == "regression" else "majority",
    )  # fmt: skip


def test_a_recipe_by_name_resolves_as_the_labels_do():
    given = data("classification")
    made = assemble("lcmd", form=given.pool.form, kind="classification")
    check(made, given)
    assert made.resolve == "majority"
    assert assemble("margin", form=given.pool.form, kind="regression").resolve == "mean"


def test_only_numbers_have_a_mean():
    given = data("multi_label")
    made = assemble(form=given.pool.form, kind="multi_label", resolve="mean")
    with pytest.raises(UnmetNeeds) as caught:
        check(made, given)
    assert str(caught.value) == (
        "recipe 'binary_entropy' resolves answers to their mean and labels of multi_label are no numbers: "
        "resolve by 'majority' or 'last'"
    )


def test_needs_are_matched_by_name():
    assert strategies_for(set()) == ["random"]
    assert {"greedy_sampling", "random", "typiclust"} <= set(strategies_for({"predictions", "features"}))
    assert not {"margin", "coreset"} & set(strategies_for({"predictions", "features"}))
