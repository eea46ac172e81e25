"""From names and numbers to a recipe whose parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch

from askwell.core.pool import Form
from askwell.core.recipe import Recipe
from askwell.core.registry import catalogue, find
from askwell.core.spec import build, parse
from askwell.core.task import Task
from askwell.data import Data
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.learners import Net
from askwell.models import MLP, SmallCNN, TextCNN

__all__ = ["assemble", "check", "task_for"]

ROOMS = {"strategy": "strategies", "start": "strategies", "learner": "learners", "scheme": "schemes", "model": "models"}
USUAL = {"classification": "margin", "multi_label": "binary_entropy", "regression": "greedy_sampling"}
"""What is run on a task where nothing else is asked for."""
RENAMED = {"start": "initial", "initial": "initial_size"}


def assemble(recipe: Recipe | str | None = None, *, form: Form, kind: str = "classification", **changes: Any) -> Recipe:
    """The recipe to run: one by name, or the plain one, with parts and numbers replaced.

    changes  strategy, start (the strategy of round 0), scheme, learner, model: parts, or their text such as
             "subsample(strategy=margin, size=1000)" or "module:Class"; initial (items of round 0), batch, rounds,
             answers, resolve, task: numbers and names; None leaves a part as it is
    kind     of label that the data have, `Data.task`: the recipe's task unless it has a task of its own. Where neither
             recipe nor strategy is named it says which: margin, binary_entropy or greedy_sampling
    """
    given = {
        key: part(ROOMS[key], value) if key in ROOMS else value for key, value in changes.items() if value is not None
    }
    model = given.pop("model", None)
    made = _named(recipe, given.get("strategy"), kind)
    if made.task in USUAL and "task" not in given:
        given["task"] = kind
    if model is not None:
        base = given.get("learner", made.learner)
        given["learner"] = replace(base, model=model) if isinstance(base, Net) else Net(model=model)
    if "strategy" in given and given["strategy"] != made.strategy:
        made = replace(made, name=given["strategy"].name, source="", deviations=())
    if "learner" in given and not given["learner"].uses_scheme and "scheme" not in given:
        made = replace(made, scheme=None, learner=given["learner"])
    renamed = {RENAMED.get(key, key): value for key, value in given.items()}
    known = [field.name for field in fields(Recipe)]
    for key in renamed:
        if key not in known:
            raise UnknownName("setting", key, {*known, *ROOMS, *RENAMED})
    return _for_form(replace(made, **renamed), form)


def part(room: str, value: Any) -> Any:
    """A part given as itself, as text or as JSON; a module of one's own stays "module:Class", which `Net` resolves."""
    if room == "models" and isinstance(value, str) and ":" in value:
        return value
    if isinstance(value, str):
        return parse(room, value)
    return build(room, value) if isinstance(value, Mapping) else value


def task_for(recipe: Recipe, classes: Sequence[str]) -> Task:
    """The recipe's task over these classes."""
    cls = find("tasks", recipe.task)
    takes = {field.name for field in fields(cls)}
    made: Task = cls(classes=tuple(classes)) if "classes" in takes else cls()
    return made


def check(recipe: Recipe, data: Data, device: str = "cpu") -> None:
    """Refuses parts that do not fit each other or the data, before anything is trained or written."""
    _check_device(device)
    next(data.pool.items("eval").batches(torch.from_numpy(data.split.candidates[:2]), 2))
    task = task_for(recipe, data.classes)
    learner = recipe.learner.build(data.pool.form, task, recipe.scheme, device)
    wanted = {need.name for strategy in (recipe.strategy, recipe.initial) for need in strategy.needs}
    fixed = {"features"} if "features" in wanted and data.pool.features() is not None else set()
    recipe.check(learner.provides | fixed, fixed)
    _check_validation(recipe, data)
    _check_metrics(recipe, task)


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise InputError(f"device {device!r} cannot be used: {why}; see askwell doctor", got=device) from None


def _check_validation(recipe: Recipe, data: Data) -> None:
    reads = recipe.scheme.reads if recipe.scheme else frozenset()
    if "validation" in reads and not len(data.split.validation):
        raise UnmetNeeds(
            f"recipe {recipe.name!r}: scheme {recipe.scheme!r} reads a validation part and there is none: "
            "set validation_size",
            ["validation"],
        )


def _check_metrics(recipe: Recipe, task: Task) -> None:
    """Refuses a stop on a metric that the task does not have."""
    predictions = task.predict(torch.zeros(2, task.outputs))
    known = {"loss", *task.metrics(predictions, task.encode(task.decide(predictions)))}
    for name in recipe.scheme.watches - known if recipe.scheme else ():
        raise UnknownName("metric", name, known)


def _named(recipe: Recipe | str | None, strategy: Any, kind: str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if recipe is None and strategy is not None and strategy.name not in catalogue("recipes"):
        plain: Recipe = find("recipes", "random")()
        return replace(plain, name=strategy.name, strategy=strategy, source="")
    made = find("recipes", recipe or (strategy.name if strategy is not None else USUAL[kind]))()
    if not isinstance(made, Recipe):
        raise InputError(f"{recipe!r} does not return a recipe but {type(made).__name__}", got=made)
    return made


def _for_form(recipe: Recipe, form: Form) -> Recipe:
    """Chooses a network by the form of the items where the recipe leaves it open."""
    if not isinstance(recipe.learner, Net) or recipe.learner.model is not None:
        return recipe
    models = {"vector": MLP(), "image": SmallCNN(), "tokens": TextCNN()}
    if form.kind not in models:
        raise InputError(f"there is no standard network for items of form {form}: give `model` or `learner`", got=form)
    return replace(recipe, learner=replace(recipe.learner, model=models[form.kind]))
