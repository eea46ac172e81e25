"""From names and numbers to a recipe whose parts fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch

from askwell.core.pool import Form
from askwell.core.recipe import Recipe, Resolution
from askwell.core.registry import catalogue, find, name_of
from askwell.core.scheme import Scheme
from askwell.core.spec import build, parse
from askwell.core.stage import Stage
from askwell.core.strategy import Strategy
from askwell.core.task import Task
from askwell.data import Data
from askwell.engine.alternatives import check_needs, with_inner
from askwell.engine.device import check_device
from askwell.engine.saved import is_saved, usual
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.learners import Net, Sklearn, Transformer
from askwell.learners.around import innermost, within
from askwell.learners.sklearn import is_estimator
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.store.resolve import JOINT

__all__ = ["assemble", "check", "task_for", "task_named"]

ROOMS = {
    "strategy": "strategies", "start": "strategies", "learner": "learners", "scheme": "schemes", "model": "models",
    "oracle": "oracles",
}  # fmt: skip
USUAL = {"classification": "margin", "multi_label": "binary_entropy", "regression": "greedy_sampling"}
"""What is run on a task where nothing else is asked for."""
RENAMED = {"start": "initial", "initial": "initial_size"}


def assemble(
    recipe: Recipe | str | None = None,
    *,
    form: Form,
    kind: str = "classification",
    frozen: bool = False,
    **changes: Any,
) -> Recipe:
    """The recipe to run: one by name, or the plain one, with parts and numbers replaced.

    changes  strategy, start (the strategy of round 0), scheme, learner, model: parts, or their text such as
             "subsample(size=1000) | margin" or "module:Class"; initial (items of round 0), batch, rounds,
             answers, resolve, task: numbers and names; oracle: who answers in a simulation; None leaves a part as it
             is. A scikit-learn estimator may stand
             for learner or model; precision, such as "bfloat16", is set on the learner
    kind     of label that the data have, `Data.task`: the recipe's task unless it has a task of its own. Where neither
             recipe nor strategy is named it says which: margin, binary_entropy or greedy_sampling
    frozen   the features are those of a saved model: a linear head learns on them, unless a recipe, learner, model or
             scheme is given. A model that is the path of a folder is fine-tuned: see `engine.saved`
    """
    given = {
        key: part(ROOMS[key], value) if key in ROOMS else value for key, value in changes.items() if value is not None
    }
    model, precision = given.pop("model", None), given.pop("precision", None)
    made = _named(recipe, given.get("strategy"), kind)
    if made.task in USUAL:
        given.setdefault("task", kind)
    if model is not None:
        given["learner"] = _around(model, given.get("learner", made.learner))
    if not isinstance(recipe, Recipe):
        given |= usual(made, given, frozen)
    if "strategy" in given and given["strategy"] != made.strategy:
        made = replace(made, name=given["strategy"].name, source="", deviations=())
    if "learner" in given and not given["learner"].uses_scheme and "scheme" not in given:
        made = replace(made, scheme=None, learner=given["learner"])
    renamed = {RENAMED.get(key, key): value for key, value in given.items()}
    _check_known(renamed)
    return _in_precision(_for_form(replace(made, **renamed), form), precision)


def _check_known(settings: Iterable[str]) -> None:
    known = [field.name for field in fields(Recipe)]
    for key in settings:
        if key not in known:
            raise UnknownName("setting", key, {*known, *ROOMS, *RENAMED, "precision"})


def part(room: str, value: Any) -> Any:
    """A part given as itself, its class, text or JSON; a network of one's own stays as it is, which `Net` resolves.

    A prefilter or selector without a strategy is refused.
    """
    made = _made(room, value)
    if isinstance(made, Stage):
        made.check_whole()
    right = {
        "strategies": isinstance(made, Strategy),
        "schemes": isinstance(made, Scheme),
        "learners": hasattr(made, "uses_scheme"),
    }
    if not right.get(room, True):
        name = made.__name__ if isinstance(made, type) else type(made).__name__
        raise InputError(
            f"{name} is no part of {room}: give one, or its text; a network of your own goes to `model`", got=made
        )
    return made


def _made(room: str, value: Any) -> Any:
    if is_estimator(value):
        return Sklearn.of(value)
    if room == "models" and is_saved(value):
        return Transformer(str(value))
    if room == "models" and isinstance(value, str) and ":" in value:
        return value
    if isinstance(value, str):
        return parse(room, value)
    if isinstance(value, type) and is_dataclass(value):
        return build(room, {"part": name_of(value)})
    return build(room, value) if isinstance(value, Mapping) else value


def task_for(recipe: Recipe, classes: Sequence[str]) -> Task:
    """The recipe's task over these classes."""
    return task_named(recipe.task, classes)


def task_named(name: str, classes: Sequence[str]) -> Task:
    """A task by its name, over these classes where it has any."""
    cls = find("tasks", name)
    takes = {field.name for field in fields(cls)}
    made: Task = cls(classes=tuple(classes)) if "classes" in takes else cls()
    return made


def check(recipe: Recipe, data: Data, device: str = "cpu") -> None:
    """Refuses parts that do not fit each other or the data, before anything is trained or written."""
    check_device(device)
    next(data.pool.items("eval").batches(torch.from_numpy(data.split.candidates[:2]), 2))
    task = task_for(recipe, data.classes)
    learner = recipe.learner.build(data.pool.form, task, recipe.scheme, device)
    wanted = {need.name for strategy in (recipe.strategy, recipe.initial) for need in strategy.needs}
    fixed = {"features"} if "features" in wanted and data.pool.features() is not None else set()
    check_needs(recipe, task, learner.provides | fixed, fixed)
    _check_forms(recipe, data.pool.form)
    _check_draws(recipe, learner.most_draws)
    _check_resolve(recipe, task)
    _check_reads(recipe, data, task)
    _check_metrics(recipe, task)


def _check_forms(recipe: Recipe, form: Form) -> None:
    """Refuses strategies that do not take items of this kind."""
    for strategy in (*with_inner(recipe.strategy), *with_inner(recipe.initial)):
        if form.kind not in strategy.forms:
            raise InputError(
                f"recipe {recipe.name!r}: strategy {strategy.name!r} takes items of kind "
                f"{' or '.join(sorted(strategy.forms))} and these are of kind {form.kind!r}",
                got=form,
            )


def _check_draws(recipe: Recipe, most: int | None) -> None:
    """Refuses a strategy that asks for more draws than the learner has."""
    for need in recipe.strategy.needs:
        if most is not None and int(dict(need.params).get("draws", 0)) > most:
            raise UnmetNeeds(
                f"recipe {recipe.name!r}: strategy {recipe.strategy.name!r} needs {need} and the learner has {most} "
                f"members: set draws to {most} or less, or members to {need['draws']}",
                [str(need)],
            )


def _check_resolve(recipe: Recipe, task: Task) -> None:
    if recipe.resolve in JOINT and task.num_classes is None:
        raise UnmetNeeds(
            f"recipe {recipe.name!r} resolves answers by {recipe.resolve}, which is for one class per item, and the "
            f"task is {recipe.task}: resolve by 'majority' or 'last'"
        )
    if recipe.resolve == "mean" and task.form != "number":
        raise UnmetNeeds(
            f"recipe {recipe.name!r} resolves answers to their mean and labels of {recipe.task} are no numbers: "
            "resolve by 'majority' or 'last'"
        )


def _check_reads(recipe: Recipe, data: Data, task: Task) -> None:
    reads = recipe.scheme.reads if recipe.scheme else frozenset()
    if "votes" in reads and task.num_classes is None:
        raise UnmetNeeds(
            f"recipe {recipe.name!r}: scheme {recipe.scheme!r} reads every annotator's answers, which must be one "
            f"class per item, and the task is {recipe.task}"
        )
    reading = [f"scheme {recipe.scheme!r}"] if "validation" in reads else []
    reading += [
        f"strategy {part.name!r}"
        for part in (recipe.strategy, recipe.initial)
        if any(need.over == "validation" for need in part.needs)
    ]
    if reading and not len(data.split.validation):
        raise UnmetNeeds(
            f"recipe {recipe.name!r}: {reading[0]} reads a validation part and there is none: set validation_size",
            ["validation"],
        )


def _check_metrics(recipe: Recipe, task: Task) -> None:
    """Refuses a stop on a metric that the task does not have."""
    watched = recipe.scheme.watches if recipe.scheme else frozenset()
    if not watched:
        return
    predictions = task.predict(torch.zeros(2, task.outputs))
    known = {"loss", *task.metrics(predictions, task.encode(task.decide(predictions)))}
    for name in watched - known:
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
    usual: Resolution = "mean" if kind == "regression" else "majority"
    return replace(made, resolve=usual) if made.resolve in ("mean", "majority") else made


def _around(model: Any, learner: Any) -> Any:
    """The learner of a model: a saved one and a scikit-learn estimator are their own."""
    if isinstance(model, Transformer | Sklearn):
        return within(learner, lambda _: model)
    return within(learner, lambda inner: replace(inner, model=model) if isinstance(inner, Net) else Net(model=model))


def _for_form(recipe: Recipe, form: Form) -> Recipe:
    """Chooses a network by the form of the items where the recipe leaves it open."""
    inner = innermost(recipe.learner)
    if not isinstance(inner, Net) or inner.model is not None:
        return recipe
    models = {"vector": MLP(), "image": SmallCNN(), "tokens": TextCNN()}
    if form.kind not in models:
        raise InputError(f"there is no standard network for items of form {form}: give `model` or `learner`", got=form)
    chosen = replace(inner, model=models[form.kind])
    return replace(recipe, learner=within(recipe.learner, lambda _: chosen))


def _in_precision(recipe: Recipe, precision: str | None) -> Recipe:
    """The recipe with this precision on its learner."""
    if precision is None:
        return recipe
    if not hasattr(innermost(recipe.learner), "precision"):
        raise InputError(
            f"precision {precision!r} is for networks, and learner {recipe.learner!r} has none: leave it out",
            got=precision,
        )
    return replace(recipe, learner=within(recipe.learner, lambda inner: replace(inner, precision=precision)))
