"""A project: a folder that holds one run. `ask` -> `tell` / `skip` -> `train`, and it resumes after a kill."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import torch
from torch import Tensor

from askwell.core.learner import Learner, Progress
from askwell.core.needs import Need
from askwell.core.oracle import Annotation, Question
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.core.store import Row
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.data import Data, load
from askwell.engine import origin
from askwell.engine.assemble import assemble, check, task_for
from askwell.engine.compute import Source
from askwell.engine.fitting import Fitting
from askwell.engine.folder import Folder
from askwell.engine.history import History
from askwell.engine.numbers import whole
from askwell.engine.report import Report
from askwell.engine.status import summary
from askwell.engine.stopwatch import Stopwatch
from askwell.errors import Conflict, InputError, ProjectError, StaleBasis
from askwell.store import Store, export, open_store

__all__ = ["Project"]

log = logging.getLogger("askwell")


class Project:
    """One run in one folder; make it with `create`, come back to it with `open`.

    >>> import tempfile, askwell as aw
    >>> folder = tempfile.mkdtemp() + "/digits"
    >>> project = aw.Project.create(folder, "digits", strategy="margin", initial=10)
    >>> for question in project.ask(10):
    ...     _ = project.tell(question.id, question.position % 10)
    >>> project.train().labels
    10
    """

    def __init__(self, folder: Folder, data: Data, recipe: Recipe, manifest: dict[str, Any], store: Store) -> None:
        """Use `create` or `open`."""
        self.folder, self.data, self.recipe, self.manifest, self.store = folder, data, recipe, manifest, store
        self.seeds = Seeds(manifest["seed"])
        self.watch = Stopwatch()
        self.task = task_for(recipe, data.classes)
        self._learner: Learner | None = None
        self.pool = origin.grown(data.pool, store)
        self.reports: list[Report] = []
        self._refresh()

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
        """
        folder, seed = Folder(Path(path)), whole("seed", seed)
        origin.clear_half_made(folder)
        if folder.path.exists() and any(folder.path.iterdir()):
            raise ProjectError(f"{folder.path} is not empty: open it with Project.open, or choose another folder")
        data = load(data, **{**(loading or {}), **({"classes": classes} if classes else {})})
        made = assemble(recipe, form=data.pool.form, kind=data.task, **changes)
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
    ) -> Project:
        """Comes back to a project.

        Data that were given in memory have to be given again, with what was given beside them as `loading`; they are
        checked by hash. mode "ro" reads only.
        """
        folder = Folder(Path(path))
        manifest = folder.manifest()
        data = origin.found_again(folder.path, manifest["data"], data, loading or {})
        store = open_store(folder.store, mode=mode)
        data = replace(data, split=origin.split_of(store, len(data.pool)))
        if manifest["threads"] != torch.get_num_threads():
            log.warning("%s was made with %d threads: with another number bits may differ", path, manifest["threads"])
        project = cls(folder, data, Recipe.of(manifest["recipe"]), manifest, store)
        if mode == "rw" and project.reports:
            project._tidy()
        return project

    # ------------------------------------------------------------------ asking and telling

    def ask(self, n: int, annotator: str = "me") -> list[Question]:
        """Up to n questions for this annotator: his own unanswered ones, then free ones; if there are none, new ones.

        New questions are chosen by the strategy from the last trained model, or by the recipe's initial strategy before
        there is one. At the end of the pool fewer than n come back, and the log says so.
        """
        if whole("n", n) < 1:
            raise InputError(f"ask for at least one question, got {n}", got=n)
        for attempt in range(ATTEMPTS):
            questions = self.take(int(n), annotator)
            if questions or not self._planned(int(n), last=attempt + 1 == ATTEMPTS):
                break
        return questions

    def _planned(self, n: int, last: bool) -> bool:
        """Whether there is something new to take; another process may have planned in the meantime."""
        try:
            return self.plan(n) > 0
        except (Conflict, StaleBasis):
            if last:
                raise
            return True

    def plan(self, n: int) -> int:
        """Chooses min(n, N) new items and records them as a round; returns how many."""
        self._refresh()
        ids = self.candidates()
        wanted = min(n, len(ids))
        if wanted < n:
            log.warning("asked for %d items, %d are left", n, wanted)
        if not wanted:
            return 0
        round = self.store.planned
        strategy = self.recipe.strategy if self.reports else self.recipe.initial
        view = self._view(ids, strategy.needs)
        with self.watch.part("select"):
            batch = strategy.select(view, wanted, self.seeds.torch("select", round))
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
        return batch.asked

    def candidates(self) -> Tensor:
        """(N,) ids that may be asked now: unasked ones, or all of the pool where the strategy asks again."""
        if self.reports and self.recipe.strategy.asks == "any":
            return torch.from_numpy(self.store.askable)
        return torch.from_numpy(self.store.unasked)

    def tell(
        self,
        question: int,
        value: Any,
        *,
        annotator: str = "me",
        seconds: float = 0.0,
        cost: float | None = None,
        token: str | None = None,
    ) -> int:
        """Records an answer; when it returns, the answer is on the disk. A wrong label raises and records nothing."""
        value = self.task.check(value)
        price = self.task.cost(value) if cost is None else cost
        return self.store.tell(Annotation(question, annotator, None, "label", value, price, seconds, token=token))

    def tell_all(self, annotations: Iterable[Annotation]) -> list[int]:
        """Records many answers with one sync: all or none."""
        checked = [
            Annotation(**{**vars(one), "value": self.task.check(one.value)}) if one.verb in VALUED else one
            for one in annotations
        ]
        return self.store.tell_many(checked)

    def volunteer(self, key: str, value: Any, *, annotator: str = "me", cost: float = 0.0) -> int:
        """Records a label for an item that was never asked, by the user's own id; kept apart from asked ones."""
        item = int(self.pool.positions([key])[0])
        said = Annotation(None, annotator, item, "label", self.task.check(value), cost)
        return self.store.tell(said, volunteered=True)

    def correct(self, question: int, value: Any, *, annotator: str = "me") -> int:
        """Replaces this annotator's earlier answer; both stay in the record."""
        earlier = self.store.answer_of(question, annotator)
        return self.store.tell(
            Annotation(question, annotator, None, "correct", self.task.check(value), 0.0, refers=earlier)
        )

    def retract(self, question: int, *, annotator: str = "me") -> int:
        """Takes this annotator's answer back; the question is open again."""
        earlier = self.store.answer_of(question, annotator)
        return self.store.tell(Annotation(question, annotator, None, "retract", cost=0.0, refers=earlier))

    def skip(self, question: int, *, annotator: str = "me", seconds: float = 0.0) -> int:
        """This annotator does not want to answer; others still may."""
        return self.store.tell(Annotation(question, annotator, None, "skip", cost=0.0, seconds=seconds))

    def unsure(self, question: int, *, annotator: str = "me", seconds: float = 0.0) -> int:
        """This annotator has looked and cannot tell; it counts as his answer, and gives no label."""
        return self.store.tell(Annotation(question, annotator, None, "unsure", cost=0.0, seconds=seconds))

    def give_back(self, question: int, *, annotator: str = "me") -> None:
        """Frees a question for the next annotator."""
        self.store.give_back(question, annotator)

    def reopen(self, question: int, *, annotator: str = "me") -> int:
        """Asks a skipped or unsure item again."""
        return self.store.tell(Annotation(question, annotator, None, "reopen", cost=0.0))

    def take(self, n: int, annotator: str) -> list[Question]:
        """Questions that are already planned; unlike `ask` it never plans new ones."""
        rows = self.store.take(n, annotator)
        self._refresh()
        return [self._question(row) for row in rows]

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
        job = fitting.job(round, previous=self.learner.state() if learner.warm and self.reports else {})
        with self.watch.part("train"):
            fit = learner.fit(self.pool, job, self.seeds.child("fit", round), progress)
        with self.folder.writing():
            weights = learner.save(self._weights(len(self.reports)))
        with self.watch.part("measure"):
            metrics, watched = fitting.measure(learner), fitting.watched(learner, self.seeds)
        self._learner = learner
        return Report(
            round=round,
            labels=fitting.answered,
            cost=self.store.cost,
            metrics=metrics,
            headline=self.task.headline,
            basis=fitting.basis,
            weights=weights,
            rehearsal=fit.rehearsal,
            agreement=fitting.agreement(self.reports[-1].watched if self.reports else (), watched),
            seconds_asked=self.store.seconds,
            fit={"steps": fit.steps, "epochs": fit.epochs, "stopped": fit.stopped, **fit.notes},
            watched=tuple(watched),
            planned=planned,
        )

    @property
    def untrained(self) -> bool:
        """Whether a round was planned since the last fit."""
        return self.store.planned > (self.reports[-1].planned if self.reports else 0)

    @property
    def learner(self) -> Learner:
        """The last trained model, read from disk if need be; trained again if its file is gone."""
        if not self.reports:
            raise ProjectError(f"{self.folder.path} has no trained model yet: call train()")
        if self._learner is None:
            fitting = self._fitting()
            self._learner = fitting.restore(
                self.reports[-1], self._weights(len(self.reports) - 1), self.manifest["device"], self.seeds
            )
        return self._learner

    def status(self) -> dict[str, Any]:
        """Where the project stands, as JSON."""
        return summary(self.folder, self.manifest, self.store)

    def export(self, path: str | Path, format: str | None = None) -> Path:
        """Writes all questions and answers with the users' own ids; format by ending: .jsonl, .csv, .parquet."""
        with self.folder.writing():
            return export(self.store, Path(path), format, keys=self.pool.keys)

    def close(self) -> None:
        """Closes the store."""
        self.store.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Project({str(self.folder.path)!r})"

    def _fitting(self) -> Fitting:
        return Fitting(self.pool, self.store, self.recipe, self.task, self.data)

    def _view(self, ids: Tensor, needs: tuple[Need, ...]) -> View:
        fitting = self._fitting()
        source = Source(
            self.pool,
            self.learner if self.reports else None,
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
            history=History(self.store, self.reports, self.recipe.resolve),
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

    def _question(self, row: Row) -> Question:
        return Question(
            row.question,
            self.pool.keys([row.item])[0],
            self.pool.item(row.item),
            row.item,
            row.unit,
            row.form,
            row.asked_of,
            row.shown,
        )

    def _weights(self, fit: int) -> Path:
        return self.folder.model(f"fit-{fit:03d}")

    def _refresh(self) -> None:
        """Takes notice of what other processes have trained and made."""
        if self.store.reported != len(self.reports):
            self.reports = [Report.of(body) for body in self.store.reports()]
            self._learner = None
        if len(self.store) != len(self.pool):
            self.pool = origin.grown(self.data.pool, self.store)

    def _tidy(self) -> None:
        """Exports the reports, and drops the models that no later round will read."""
        self.folder.write("rounds.jsonl", "".join(json.dumps(one.public()) + "\n" for one in self.reports))
        for old in self._weights(0).parent.glob("fit-*.safetensors"):
            if old != self._weights(len(self.reports) - 1):
                old.unlink(missing_ok=True)


VALUED = {"label", "correct", "also"}
ATTEMPTS = 5
"""How often `ask` tries again when another process plans at the same moment."""
