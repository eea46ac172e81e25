"""A project: a folder that holds one run. `ask` -> `tell` / `skip` -> `train`, and it resumes after a kill."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from askwell.core.learner import Learner, Progress
from askwell.core.needs import Need
from askwell.core.online import Online
from askwell.core.oracle import Question
from askwell.core.pool import Pool
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.data import Data, load
from askwell.data.load import items_like
from askwell.engine import additions, notebook, origin
from askwell.engine.assemble import assemble, check
from askwell.engine.calibrate import Calibration, Calibrator
from askwell.engine.choosing import choose
from askwell.engine.compute import Source
from askwell.engine.device import resolved_device
from askwell.engine.edits import Edits
from askwell.engine.fitting import Fitting
from askwell.engine.folder import Folder
from askwell.engine.history import History
from askwell.engine.ledger import ATTEMPTS, Ledger
from askwell.engine.numbers import whole
from askwell.engine.package import Package
from askwell.engine.predict import Predictions, predicted, reading
from askwell.engine.report import Report
from askwell.engine.saved import frozen
from askwell.engine.status import status
from askwell.engine.stopwatch import Stopwatch
from askwell.errors import Conflict, InputError, ProjectError, StaleBasis
from askwell.store import Store, open_store

__all__ = ["Project"]

log = logging.getLogger("askwell")

Knowledge = tuple[int, int]
"""Numbers of reports and of edits: a model in memory is of one of them."""


class Project(Ledger):
    """One run in one folder; make it with `create`, come back to it with `open`.

    >>> import tempfile, askwell as aw
    >>> folder = tempfile.mkdtemp() + "/digits"
    >>> project = aw.Project.create(folder, "digits", strategy="margin", initial=10)
    >>> for question in project.ask(10):
    ...     _ = project.tell(question.id, question.position % 10)
    >>> project.train().labels
    10
    """

    def __init__(
        self,
        folder: Folder,
        data: Data,
        recipe: Recipe,
        manifest: dict[str, Any],
        store: Store,
        added: Mapping[int, Pool] | None = None,
    ) -> None:
        """Use `create` or `open`."""
        super().__init__(folder, data, recipe, manifest, store, added)
        self.seeds = Seeds(manifest["seed"])
        self.watch = Stopwatch()
        self._held: tuple[Knowledge, Learner] | None = None
        self._calibration: Calibration | None = None
        self._said: set[Strategy] = set()

    @classmethod
    def create(
        cls,
        path: str | Path,
        data: Any,
        *,
        recipe: Recipe | str | None = None,
        seed: int = 0,
        device: str = "cpu",
        classes: Sequence[str] | None = None,
        loading: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Project:
        """Starts a project in an empty folder.

        data     whatever `askwell.data.load` takes, with `loading` as its further arguments
        recipe   a recipe, or its name; `changes` replace its parts and numbers: strategy="margin", batch=50, …
        device   cpu, cuda, cuda:1, …, or auto: a GPU where there is one now, and from then on
        """
        folder, seed = Folder(Path(path)), whole("seed", seed)
        origin.clear_half_made(folder)
        if folder.path.exists() and any(folder.path.iterdir()):
            raise ProjectError(f"{folder.path} is not empty: choose another folder, or open the project in it")
        data = load(data, **{**(loading or {}), **({"classes": classes} if classes else {})})
        made = assemble(recipe, form=data.pool.form, kind=data.task, frozen=frozen(data), **changes)
        device = resolved_device(device)
        manifest = origin.describe(data, made, seed, device)
        check(made, data, device)
        folder.make()
        store = open_store(folder.store, create=True)
        origin.record(store, data)
        folder.write_manifest(manifest)
        return cls(folder, data, made, manifest, store)

    @classmethod
    def open(
        cls,
        path: str | Path,
        data: Any = None,
        *,
        mode: Literal["rw", "ro"] = "rw",
        loading: dict[str, Any] | None = None,
        added: Sequence[Any] = (),
    ) -> Project:
        """Comes back to a project.

        Data that were given in memory have to be given again, with what was given beside them as `loading`; they are
        checked by hash. mode "ro" reads only. `added` gives again, in their order, what was added from memory:
        the items, or, where options in memory belong to them, `load(items, like=data.pool, …)`.
        """
        folder = Folder(Path(path))
        manifest = folder.manifest()
        data = origin.found_again(folder.path, manifest["data"], data, loading or {})
        store = open_store(folder.store, mode=mode)
        data = replace(data, split=origin.split_of(store, len(data.pool)))
        if manifest["threads"] != torch.get_num_threads():
            log.warning("%s was made with %d threads: with another number bits may differ", path, manifest["threads"])
        pools = additions.found_again(folder.path, store, data.pool, added)
        project = cls(folder, data, Recipe.of(manifest["recipe"]), manifest, store, pools)
        if mode == "rw" and project.reports:
            project._tidy()
        return project

    # ------------------------------------------------------------------ asking

    def ask(self, n: int, annotator: str = "me", progress: Progress | None = None) -> list[Question]:
        """Up to n questions for this annotator: his own unanswered ones, then free ones; if there are none, new ones.

        New questions are chosen by the strategy from the last trained model, or by the recipe's initial strategy before
        there is one. At the end of the pool fewer than n come back, and the log says so, as it does beforehand of a
        choice that will take more than a minute. `progress` hears of the steps of a choice.
        """
        if whole("n", n) < 1:
            raise InputError(f"ask for at least one question, got {n}", got=n)
        for attempt in range(ATTEMPTS):
            questions = self.take(int(n), annotator)
            if questions or not self._planned(int(n), progress, last=attempt + 1 == ATTEMPTS):
                break
        return questions

    def _planned(self, n: int, progress: Progress | None, last: bool) -> bool:
        """Whether there is something new to take; another process may have planned in the meantime."""
        try:
            return self.plan(n, progress) > 0
        except (Conflict, StaleBasis):
            if last:
                raise
            return True

    def plan(self, n: int, progress: Progress | None = None) -> int:
        """Chooses min(n, N) new items and records them as a round; returns how many.

        A strategy that decides item by item may choose fewer, and none when it has met all that there are.
        """
        self.renew()
        ids = self.candidates()
        wanted = min(n, len(ids))
        if wanted < n:
            log.warning("asked for %d items, %d are left", n, wanted)
        if not wanted:
            return 0
        round = self.store.planned
        strategy = self.recipe.strategy if self.current else self.recipe.initial
        view = self.view(ids, strategy.needs)
        with self.watch.part("select"):
            rng, said = self.seeds.torch("select", round, *self._met(strategy)), strategy in self._said
            batch = choose(strategy, view, wanted, rng, progress, said=said)
        self._said.add(strategy)
        self.record(round, batch, strategy)
        if batch.asked < wanted:
            log.warning("%s asks about %d of the %d items that are left", strategy.name, batch.asked, len(ids))
        return batch.asked

    def _met(self, strategy: Strategy) -> tuple[int, ...]:
        """Of a stream the items met so far: without questions it goes on in the same round, with other chances."""
        return (int(self.store.state.get("seen", 0)),) if isinstance(strategy, Online) else ()

    def record(self, round: int, batch: Batch, strategy: Strategy) -> None:
        """Plans a round with the questions of a batch; of one without questions only the state is kept."""
        if not batch.asked:
            self.store.remember(round, batch.state or {})
            return
        last = self.reports[-1] if self.reports else None
        self.store.plan(
            round,
            batch,
            basis=last.basis if last else 0,
            answers=self.recipe.answers,
            form=self.task.form,
            weights=last.weights if last else "",
            facts=self._facts(strategy),
            again=strategy.asks == "any",
        )
        self._refresh()

    def candidates(self) -> Tensor:
        """(N,) ids that may be asked now: unasked ones, or all of the pool where the strategy asks again."""
        if self.reports and self.recipe.strategy.asks == "any":
            return torch.from_numpy(self.store.askable)
        return torch.from_numpy(self.store.unasked)

    # ------------------------------------------------------------------ training

    def train(self, progress: Progress | None = None) -> Report:
        """Fits a model to all labels so far, measures it on the test part, saves it and reports the round."""
        self._refresh()
        with self.watch.part("rest"):
            report = self._fitted(progress)
        report = replace(report, seconds=self.watch.take())
        self.store.write_report(report.round, report.body())
        self.reports.append(report)
        self._tidy()
        return report

    def _fitted(self, progress: Progress | None) -> Report:
        planned = self.store.planned
        round = max(planned - 1, 0)
        fitting = self._fitting()
        learner = fitting.learner(self.manifest["device"])
        job = fitting.job(round, previous=self._previous() if learner.warm and self.reports else {})
        with self.watch.part("train"):
            fit = learner.fit(self.pool, job, self.seeds.child("fit", round), progress)
        with self.folder.writing():
            weights = learner.save(self._weights(len(self.reports)))
        with self.watch.part("measure"):
            metrics, watched = fitting.measure(learner), fitting.watched(learner, self.seeds)
        self._held = (len(self.reports) + 1, len(self.edits)), learner
        return Report(
            round=round,
            labels=fitting.answered,
            cost=self.store.cost,
            metrics=metrics,
            headline=self.task.headline,
            basis=fitting.basis,
            weights=weights,
            rehearsal=fit.rehearsal,
            agreement=fitting.agreement(self._watched(), watched),
            seconds_asked=self.store.seconds,
            fit={"steps": fit.steps, "epochs": fit.epochs, "stopped": fit.stopped, **fit.notes},
            watched=tuple(watched),
            planned=planned,
            edits=len(self.edits),
        )

    def _previous(self) -> Mapping[str, Tensor]:
        """The last model's tensors; none where its outputs are as many as now, and of other classes."""
        last = self._fitting(self.edits.before(self.reports[-1].edits))
        same = last.edits.lineage == self.edits.lineage
        if not same and len(last.edits.classes) == len(self.edits.classes):
            return {}
        return (self.learner if same else self._restored(last)).state()

    def _watched(self) -> list[Any]:
        """What the last model said of the fixed set, by the classes that there are now."""
        last = self.reports[-1] if self.reports else None
        return [self.edits.since(label, last.edits) for label in last.watched] if last else []

    @property
    def current(self) -> bool:
        """Whether there is a trained model, and its outputs are the classes that there are now."""
        return bool(self.reports) and self.edits.before(self.reports[-1].edits).lineage == self.edits.lineage

    def renew(self) -> None:
        """Takes notice of other processes; trains anew where classes changed, for strategies read one list of them."""
        self._refresh()
        if self.reports and not self.current and self._fitting().answered:
            log.info("the classes have changed since the last training: training anew before choosing")
            self.train()

    @property
    def untrained(self) -> bool:
        """Whether a round was planned since the last fit."""
        return self.store.planned > (self.reports[-1].planned if self.reports else 0)

    @property
    def learner(self) -> Learner:
        """The last trained model, read from disk if need be; trained again if its file is gone."""
        if not self.reports:
            raise ProjectError(f"{self.folder.path} has no trained model yet: train it first")
        if not self.current:
            raise ProjectError("the classes have changed since the last training: train again")
        known = len(self.reports), len(self.edits)
        if self._held is None or self._held[0] != known:
            self._held = known, self._restored(self._fitting())
        return self._held[1]

    def _restored(self, fitting: Fitting) -> Learner:
        path = self._weights(len(self.reports) - 1)
        return fitting.restore(self.reports[-1], path, self.manifest["device"], self.seeds)

    # ------------------------------------------------------------------ the result

    def predict(
        self, data: Any = None, *, calibrate: bool = True, loading: dict[str, Any] | None = None
    ) -> Predictions:
        """What the last trained model says: labels, and probabilities calibrated on labels that were held out.

        data       whatever `askwell.data.load` takes, with `loading` as its further arguments; it is served as the
                   project's items are, and by the options of the project's own data where they apply. None: the
                   project's items that are still there, in their order
        calibrate  False leaves probabilities as the model gives them; the labels are the same. See `calibration`

        The same in every process with the same versions and number of threads. Batch by batch: only (n, C) is held.
        """
        self._refresh()
        if data is None and loading:
            raise InputError(f"options of loading apply to new data, and none are given: {', '.join(loading)}")
        learner, own = self.learner, data is None
        pool = self.pool if own else items_like(data, self.data.pool, reading(self.data.options), **(loading or {}))
        ids = self._present() if own else torch.arange(len(pool))
        temperature = self.calibration.temperature if calibrate else 1.0
        return predicted(learner, pool, ids, self.task, temperature)

    @property
    def calibration(self) -> Calibration:
        """The temperature of the last trained model; found once per model, which may take one more fit."""
        learner, report = self.learner, self.reports[-1]
        if self._calibration is None or self._calibration.weights != report.weights:
            fitting = self._fitting().as_of(report)
            calibrator = Calibrator(learner, fitting, report, self.seeds, self.manifest["device"])
            self._calibration = calibrator.kept(self.folder, writable=self.store.connections.mode == "rw")
        return self._calibration

    def export_model(self, path: str | Path) -> Path:
        """Writes the last trained model as a folder for `askwell.load_model`, whole or not at all.

        Weights as safetensors (scikit-learn as skops, never a pickle), classes, metrics, temperature, hash of the data,
        what loading new items needs, and a model card. The folder must be new or empty.
        """
        self._refresh()
        learner = self.learner
        described = self.reports[-1], self.calibration
        return Package(learner, self.recipe, self.task, self.pool, self.data, *described).write(path)

    def _repr_html_(self) -> str:
        """What a notebook shows, of a closed project too."""
        return notebook.of_project(status(self.folder.path), self.reports)

    def _fitting(self, edits: Edits | None = None) -> Fitting:
        known = self.edits if edits is None else edits
        return Fitting(self.pool, self.store, self.recipe, self.original, self.data, known, self._seen)

    def view(self, ids: Tensor, needs: tuple[Need, ...], pool: Pool | None = None) -> View:
        """Candidates as a strategy sees them: ids (N,) ascending, of `pool` where that goes on behind the project's."""
        fitting = self._fitting()
        source = Source(
            self.pool if pool is None else pool,
            self.learner if self.current else None,
            fitting.tables(),
            self.seeds.child("compute", len(self.reports)),
            self.watch,
            self.folder.cache,
        )
        return View(
            ids,
            needs,
            source,
            sets=fitting.sets(),
            num_classes=self.task.num_classes,
            history=History(self.store, self.reports, self.recipe.resolve, self.edits),
            state=self.store.state,
        )

    def _facts(self, strategy: Strategy) -> dict[str, Any]:
        """What made the choice, beside the weights: kept with every planned round."""
        last = self.reports[-1] if self.reports else None
        return {
            "strategy": repr(strategy),
            "rehearsal": last.rehearsal if last else "",
            "labels": last.labels if last else 0,
            "seed": self.manifest["seed"],
        }

    def _present(self) -> Tensor:
        """Items of the data and of additions that were not removed, ascending."""
        gone = np.union1d(self.edits.removed, [one["item"] for one in self.store.made()])
        return torch.from_numpy(np.setdiff1d(np.arange(len(self.pool)), gone))

    def _weights(self, fit: int) -> Path:
        return self.folder.model(f"fit-{fit:03d}")

    def _tidy(self) -> None:
        """Exports the reports, and drops the models that no later round will read."""
        self.folder.write("rounds.jsonl", "".join(json.dumps(one.public()) + "\n" for one in self.reports))
        for old in self._weights(0).parent.glob("fit-*.safetensors"):
            if old != self._weights(len(self.reports) - 1):
                old.unlink(missing_ok=True)
