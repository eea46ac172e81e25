"""What every recipe promises. A check takes the function that returns the recipe.

Runs are simulated on 60 toy vectors with labels of its task, or on 60 texts where the recipe names a network of texts,
with a small network in place of the recipe's and few steps.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from askwell.core.recipe import Recipe
from askwell.data import Data, load
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.engine.report import Report
from askwell.engine.simulated import simulated
from askwell.errors import UnmetNeeds
from askwell.learners import Net
from askwell.learners.around import innermost, within
from askwell.models import MLP, TextCNN
from askwell.strategies import Random
from askwell.testing.check import Check, check, pinned_generators
from askwell.testing.toys import CLASSES, toy

__all__ = [
    "CHECKS",
    "check_arms_are_paired",
    "check_builds_offline",
    "check_config_leads_back",
    "check_resumed_is_uninterrupted",
    "check_source_and_deviations_are_given",
    "check_two_rounds_run",
    "check_unmet_needs_are_refused",
]

Make = Callable[[], Recipe]
SIZES: dict[str, Any] = {"initial_size": 9, "batch": 4, "rounds": 2}
FEW = {"steps": 8, "epochs": None, "pairs": 8, "latent": 4}
FEW_CHOICES = {"batches": 9}
MOST_STEPS = 200


def _small(recipe: Recipe) -> Recipe:
    """The recipe at the size of a test: few items, few steps, a small network."""
    learner, scheme = recipe.learner, recipe.scheme
    if isinstance(innermost(learner), Net):
        small = TextCNN(embedding=8, filters=4) if _reads_texts(recipe) else MLP(width=8, depth=1)
        learner = within(learner, lambda inner: replace(inner, model=small))
    return replace(
        recipe, learner=learner, scheme=scheme and _short(scheme, FEW), strategy=_short(recipe.strategy, FEW_CHOICES),
        **SIZES,
    )  # fmt: skip


def _short(part: Any, few: Mapping[str, Any]) -> Any:
    """A scheme or a strategy with these numbers, as far as it has them."""
    known = {item.name for item in fields(part)}
    return replace(part, **{name: value for name, value in few.items() if name in known})


def _reads_texts(recipe: Recipe) -> bool:
    """Whether the recipe's strategy or network takes texts alone."""
    words = isinstance(getattr(innermost(recipe.learner), "model", None), TextCNN)
    return words or recipe.strategy.forms == frozenset({"tokens"})


def _data(recipe: Recipe) -> Data:
    task, texts = recipe.task, _reads_texts(recipe)
    problem = toy("tokens" if texts else "vector", 60, task)
    rows = problem.pool.rows
    items = [" ".join(f"w{word}" for word in row if word) for row in rows.tolist()] if texts else rows.numpy()
    labels: dict[str, Any] = {
        "task": task, "labels": problem.truth.numpy(), "classes": CLASSES if problem.task.labels else None,
    }  # fmt: skip
    return load(items, **labels, test_size=12, validation_size=9, pool_size=39)


@contextmanager
def _project(recipe: Recipe, seed: int = 0) -> Iterator[Project]:
    with (
        TemporaryDirectory() as folder,
        Project.create(Path(folder) / "run", _data(recipe), recipe=recipe, seed=seed) as project,
    ):
        yield project


def _asked(project: Project) -> list[int]:
    return [row.item for row in project.store.questions()]


def _run(project: Project, last: int) -> list[Report]:
    return list(rounds(project, simulated(project.recipe, project.data), last=last))


@check
def check_builds_offline(make: Make) -> None:
    """Building it opens no connection, and gives a recipe of the function's name."""
    tried: list[Any] = []
    with patch.object(socket.socket, "connect", lambda _, address: tried.append(address)):
        recipe = make()
    assert not tried, f"building the recipe connects to {tried}"
    assert isinstance(recipe, Recipe), f"the function returns {type(recipe).__name__}"
    name = getattr(make, "__name__", recipe.name)
    assert recipe.name == name, f"the recipe of {name!r} is called {recipe.name!r}"


@check
def check_unmet_needs_are_refused(make: Make) -> None:
    """With a learner that provides nothing it is refused, and the message names every need that nobody meets."""
    recipe = make()
    for part, provides, before in ((recipe.strategy, set(), {"features"}), (recipe.initial, _all(recipe), set())):
        wanted = {str(need) for need in part.needs if need.kind != "table"}
        try:
            recipe.check(provides, before)
        except UnmetNeeds as error:
            missing = [name for name in error.names if name not in str(error)]
            assert not missing, f"the refusal does not name {', '.join(missing)}"
        else:
            assert not wanted, f"nobody provides {', '.join(sorted(wanted))} of {part!r}, and it was not refused"


def _all(recipe: Recipe) -> set[str]:
    return {need.name for need in recipe.strategy.needs}


@check
def check_config_leads_back(make: Make) -> None:
    """The config is JSON, builds an equal recipe with the same hash, and every number in it changes the hash."""
    recipe = make()
    again = type(recipe).of(json.loads(json.dumps(recipe.config())))
    assert again == recipe, f"the config builds another recipe: {again}"
    assert again.hash == recipe.hash, "the rebuilt recipe has another hash"
    for name in SIZES:
        changed = replace(recipe, **{name: getattr(recipe, name) + 1})
        assert changed.hash != recipe.hash, f"the hash does not depend on {name}"


@check
def check_source_and_deviations_are_given(make: Make) -> None:
    """The source has a year; deviations are whole sentences; the function's docstring says what it asks for."""
    recipe = make()
    assert re.search(r"\b(19|20)\d\d\b", recipe.source), f"the source {recipe.source!r} names no year"
    for sentence in recipe.deviations:
        assert re.fullmatch(r"[A-Z0-9`].{10,}\.", sentence, re.DOTALL), f"{sentence!r} is no sentence"
    assert len((make.__doc__ or "").strip()) >= 20, "the function does not say what the recipe does"


@check
def check_two_rounds_run(make: Make) -> None:
    """Round 0 and two more run on a toy, in at most 200 steps: exactly the budget is asked and labelled.

    No item is asked twice, unless the strategy asks any: then fewer may be labelled. A `partial` one may ask less.
    """
    recipe = _small(make())
    with _project(recipe) as project:
        reports = _run(project, 2)
        labels = [report.labels for report in reports]
        asked, again, fewer = _asked(project), recipe.strategy.asks == "any", recipe.strategy.partial
        enough = len(asked) == 17 or (fewer and 9 < len(asked) < 17)
        assert enough, f"{len(asked)} questions were asked instead of 17: items {asked}"
        right = again or fewer or labels == [9, 13, 17]
        assert right, f"after each round there are {labels} labels instead of 9, 13 and 17"
        assert again or len(set(asked)) == len(asked), f"items {asked} were asked"
        aside = set(_asked(project)) - set(project.data.split.candidates.tolist())
        assert not aside, f"items {sorted(aside)} were asked and are no candidates"
        steps = sum(int(report.fit["steps"]) for report in reports)
        assert steps <= MOST_STEPS, f"{steps} optimiser steps were taken"


@check
def check_resumed_is_uninterrupted(make: Make) -> None:
    """Closed and opened again after every round, it asks the same items and measures the same."""
    recipe = _small(make())
    with pinned_generators(1), _project(recipe) as whole:
        wanted = [(report.weights, report.metrics) for report in _run(whole, 2)], _asked(whole)
    with TemporaryDirectory() as folder, pinned_generators(1):
        path, data = Path(folder) / "run", _data(recipe)
        Project.create(path, data, recipe=recipe, seed=0).close()
        found = []
        for last in range(3):
            with Project.open(path, data) as project:
                found += [(report.weights, report.metrics) for report in _run(project, last)]
                asked = _asked(project)
    assert asked == wanted[1], f"resumed it asked {asked}, uninterrupted {wanted[1]}"
    assert found == wanted[0], f"resumed it trained and measured {found}, uninterrupted {wanted[0]}"


@check
def check_arms_are_paired(make: Make) -> None:
    """With one seed it starts from the same items as an arm with another strategy; with another seed from others."""
    recipe = _small(make())
    random = replace(recipe, strategy=Random())
    with pinned_generators(1):
        starts = []
        for arm, seed in ((recipe, 0), (random, 0), (recipe, 1)):
            with _project(arm, seed) as project:
                _run(project, 0)
                starts.append(_asked(project))
    assert starts[0] == starts[1], f"two arms with one seed start from {starts[0]} and {starts[1]}"
    assert starts[0] != starts[2], "another seed starts from the same items"


CHECKS: tuple[Check, ...] = (
    check_builds_offline,
    check_unmet_needs_are_refused,
    check_config_leads_back,
    check_source_and_deviations_are_given,
    check_two_rounds_run,
    check_resumed_is_uninterrupted,
    check_arms_are_paired,
)
