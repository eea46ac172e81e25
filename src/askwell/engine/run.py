"""The main job: simulate active learning on labelled data, paired with random choice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from askwell.core.learner import Progress
from askwell.core.oracle import Oracle
from askwell.core.recipe import Recipe
from askwell.core.spec import digest
from askwell.data import Data, load
from askwell.engine.assemble import assemble, check, part
from askwell.engine.device import resolved_device
from askwell.engine.draw import png
from askwell.engine.folder import Folder
from askwell.engine.loop import rounds as _rounds
from askwell.engine.loop import stopped
from askwell.engine.numbers import whole
from askwell.engine.progress import Bars
from askwell.engine.project import Project
from askwell.engine.report import Report
from askwell.engine.result import Result
from askwell.engine.saved import frozen
from askwell.engine.simulated import simulated
from askwell.engine.stop import StopRule, parse_stop
from askwell.engine.threads import threads as with_threads
from askwell.errors import InputError, UnmetNeeds

__all__ = ["run"]

SILENT = ("rounds", "source", "deviations", "switches")
"""What a recipe says that changes no result."""


def run(
    data: Any,
    *,
    recipe: Recipe | str | None = None,
    strategy: Any = None,
    scheme: Any = None,
    learner: Any = None,
    model: Any = None,
    start: Any = None,
    initial: int | None = None,
    batch: int | None = None,
    rounds: int | None = None,
    oracle: Any = None,
    answers: int | None = None,
    resolve: str | None = None,
    seeds: int | Sequence[int] = 1,
    against: str | None = "random",
    stop: StopRule | str | None = None,
    out: str | Path = "runs",
    fresh: bool = False,
    device: str = "cpu",
    precision: str | None = None,
    threads: int = 1,
    quiet: bool = False,
    **loading: Any,
) -> Result:
    """Runs a recipe on labelled data as if the labels had to be asked for, and random choice beside it.

    data       "digits", a name of $ASKWELL_DATA, a path, arrays, a torch Dataset; `loading` goes to `askwell.data.load`
    recipe     a recipe or its name; strategy, scheme, learner, model, start, initial, batch, rounds replace its parts
    oracle     who answers, in both arms: the truth unless given. "noisy(confusion=0.2)", "crowd(confusion=(.1, .3))";
               answers per question, and how one label is made of them: majority, last, mean, dawid_skene,
               one_coin
    seeds      how many, counted from 0, or which; every seed has its own initial items and weights, shared by the arms
    against    the strategy of the second arm, or None; it shares the first arm's initial items, unless that arm's
               strategy chooses them itself: then they are random
    stop       a rule or its text, such as "labels(500) | plateau()"; the second arm runs as long as the rounds allow
    device     cpu, cuda, cuda:1, …, or auto: a GPU where there is one. precision: "bfloat16" for networks
    threads    of torch; bits depend on it, so that the default is 1 and results are the same on every machine of a kind
    out        <out>/<data>-<recipe>-<hash>/seed-K holds one project each; the same call goes on where it was

    >>> import tempfile
    >>> result = run("digits", strategy="margin", initial=20, batch=20, rounds=1, out=tempfile.mkdtemp(), quiet=True)
    >>> [labels for labels, accuracy in result.curves()["margin"][0]]
    [20, 40]
    """
    loaded = load(data, **loading)
    made = assemble(
        recipe, form=loaded.pool.form, kind=loaded.task, frozen=frozen(loaded), strategy=strategy, scheme=scheme,
        learner=learner, model=model, start=start, initial=initial, batch=batch, rounds=rounds, precision=precision,
        oracle=oracle, answers=answers, resolve=resolve,
    )  # fmt: skip
    device = resolved_device(device)
    arms = {made.name: made, **_second(made, against)}
    rule = parse_stop(stop) if isinstance(stop, str) else stop
    for arm in arms.values():
        check(arm, loaded, device)
    _check_budget(made, loaded)
    numbers = [whole("a seed", seed) for seed in (range(seeds) if isinstance(seeds, int) else seeds)]
    if not numbers or len(set(numbers)) < len(numbers):
        raise InputError(f"seeds must name at least one seed, and each once, got {seeds}", got=seeds)
    with with_threads(threads), Bars(quiet=quiet) as bars:
        rules = {made.name: rule}
        runs = {
            name: Arm(arm, loaded, simulated(arm, loaded), Path(out), device, rules.get(name))
            for name, arm in arms.items()
        }
        cells = {name: [arm.cell(seed, fresh, bars) for seed in numbers] for name, arm in runs.items()}
    return _finish(runs[made.name], cells)


@dataclass(frozen=True)
class Arm:
    """One recipe on one data set; each seed is a project in its folder."""

    recipe: Recipe
    data: Data
    oracle: Oracle
    out: Path
    device: str
    stop: StopRule | None

    @cached_property
    def folder(self) -> Path:
        """<out>/<data>-<recipe>-<hash>: what can change a result, save the number of rounds, changes the hash."""
        settings = {key: value for key, value in self.recipe.config().items() if key not in SILENT}
        split = [sha256(ids.tobytes()).hexdigest() for ids in vars(self.data.split).values()]
        name = digest([settings, self.data.digest, split, self.device, torch.get_num_threads()])[:8]
        return self.out / f"{self.data.name}-{self.recipe.name}-{name}"

    def cell(self, seed: int, fresh: bool, progress: Progress) -> list[Report]:
        """Begins or continues the project of one seed."""
        what, total = f"{self.recipe.name}, seed {seed}", self.recipe.rounds + 1
        with self._project(seed, fresh) as project:
            progress(what, len(project.reports), total)
            for report in _rounds(project, self.oracle, last=self.recipe.rounds, stop=self.stop, progress=progress):
                progress(what, report.round + 1, total)
            kept = [report for report in project.reports if report.round <= self.recipe.rounds]
        ends = (count for count in range(1, len(kept) + 1) if stopped(kept[:count], self.stop))
        return kept[: next(ends, len(kept))]

    def _project(self, seed: int, fresh: bool) -> Project:
        path = self.folder / f"seed-{seed}"
        if not fresh and (path / "project.json").is_file():
            return Project.open(path, self.data)
        if fresh:
            shutil.rmtree(path, ignore_errors=True)
        return Project.create(path, self.data, recipe=self.recipe, seed=seed, device=self.device)


def _second(recipe: Recipe, against: str | None) -> dict[str, Recipe]:
    """The arm to compare with: the same in everything but the choosing."""
    if against is None:
        return {}
    strategy = part("strategies", against)
    if strategy == recipe.strategy:
        return {}
    initial = part("strategies", "random") if recipe.initial == recipe.strategy else recipe.initial
    plain = replace(
        recipe, name=strategy.name, strategy=strategy, initial=initial, source="", deviations=(), switches={}
    )
    return {plain.name: plain} if plain.name != recipe.name else {repr(strategy): replace(plain, name=repr(strategy))}


def _check_budget(recipe: Recipe, data: Data) -> None:
    size = len(data.split.candidates)
    if data.labels is None:
        raise InputError(f"{data.name} has no labels to simulate with: use Project.create, ask and tell")
    if recipe.strategy.asks == "made" and recipe.oracle is None:
        raise UnmetNeeds(
            f"strategy {recipe.strategy.name!r} makes items that the data have no label for: give an oracle"
        )
    if not len(data.split.test):
        raise InputError(f"{data.name} has no test part to measure on: set test_size")
    if recipe.budget > size:
        raise InputError(
            f"the budget of {recipe.budget} items ({recipe.initial_size} + {recipe.rounds} x {recipe.batch}) "
            f"is larger than the pool of {size}",
            got=recipe.budget,
        )


def _ended(reports: Sequence[Report], arm: Arm) -> str | None:
    """Why a run ended before its last round: a rule, or a strategy that passed over all items that were left."""
    return stopped(reports, arm.stop) or ("the end of its items" if arm.recipe.strategy.partial else None)


def _finish(arm: Arm, cells: Mapping[str, list[list[Report]]]) -> Result:
    first = cells[arm.recipe.name][0]
    reason = _ended(first, arm) if len(first) <= arm.recipe.rounds else None
    result = Result(arm.folder, arm.folder / "curve.png", cells, {arm.recipe.name: reason} if reason else {})
    files = Folder(arm.folder)
    with files.writing():
        png(result.curves(), result.metric, result.picture, title=f"{arm.data.name}: {' against '.join(cells)}")
        files.write("result.json", json.dumps(result.summary(), indent=1) + "\n")
    return result
