"""One fit of a project: what it may see, what is measured, and how a saved model comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.learner import Job, Learner
from askwell.core.needs import ANNOTATORS, COST, LABELS, VOTES, WORDS, Need, Over
from askwell.core.pool import Pool
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.core.store import Labelled, Vote
from askwell.core.task import Task
from askwell.data import Data
from askwell.engine.assemble import task_for
from askwell.engine.compute import Table
from askwell.engine.edits import Edits, without
from askwell.engine.report import Report
from askwell.engine.word_rows import word_rows
from askwell.errors import InputError, ProjectError
from askwell.metrics.agreement import cohen
from askwell.store import Store, resolver

__all__ = ["WATCHED", "Fitting"]

WATCHED = 1000
"""Items whose predictions are compared from round to round."""


@dataclass(frozen=True)
class Fitting:
    """The labels of a project as of one event, one number of rounds (None: the latest) and some edits, and their fit.

    original  the task over the classes with which the project was made; `task` is that over the classes of the edits
    """

    pool: Pool
    store: Store
    recipe: Recipe
    original: Task
    data: Data
    edits: Edits
    upto: int | None = None
    rounds: int | None = None

    @cached_property
    def task(self) -> Task:
        """What a label is, after the edits."""
        same = self.edits.classes == self.edits.original
        return self.original if same else task_for(self.recipe, self.edits.classes)

    @cached_property
    def basis(self) -> int:
        """The last event that counts."""
        return self.store.last if self.upto is None else self.upto

    @cached_property
    def answered(self) -> int:
        """Items with a label of their own."""
        return len(set(self._found.items.tolist()))

    @cached_property
    def _found(self) -> Labelled:
        resolve = resolver(self.recipe.resolve, self._votes)
        found = self.store.labelled(self.edits.reading(resolve), self.basis)
        return without(found, self.edits.removed)

    @cached_property
    def _made(self) -> list[dict[str, Any]]:
        return [one for one in self.store.made() if self.rounds is None or one["round"] < self.rounds]

    @cached_property
    def labels(self) -> tuple[Tensor, list[Any]]:
        """(M,) ids and M labels in question order; copies of labelled items follow, with their parents' labels."""
        ids, values = self._found.items.tolist(), list(self._found.values)
        known = dict(zip(ids, values, strict=True))
        for made in self._made:
            if made["role"] == "copy" and made["parent"] in known and made["item"] not in self.edits.removed:
                ids.append(made["item"])
                values.append(known[made["parent"]])
        return torch.tensor(ids, dtype=torch.int64), values

    def as_of(self, report: Report) -> Fitting:
        """What the fit of this report knew."""
        return replace(self, edits=self.edits.before(report.edits), upto=report.basis, rounds=report.planned)

    def learner(self, device: str) -> Learner:
        """A learner that has not been fitted."""
        return self.recipe.learner.build(self.pool.form, self.task, self.recipe.scheme, device)

    def job(self, round: int, previous: Mapping[str, Any]) -> Job:
        """All that the fit of this round may use."""
        ids, values = self.labels
        if not len(ids):
            raise InputError("there is no label to train on: answer at least one question first")
        return Job(
            labelled=ids,
            targets=self.task.encode(values),
            unlabelled=self._unlabelled(ids),
            validation=torch.from_numpy(self._validation),
            validation_targets=self._truth(self._validation),
            previous=previous,
            batches=tuple(self._asked(one) for one in range(round + 1)),
            round=round,
            votes=self._vote_rows(ids) if self._reads("votes") else None,
        )

    def _reads(self, name: str) -> bool:
        return self.recipe.scheme is not None and name in self.recipe.scheme.reads

    def _vote_rows(self, ids: Tensor) -> Tensor:
        """(V, 3) places among these ids, annotators and classes; answers about parts of items are left out."""
        places = {item: place for place, item in enumerate(ids.tolist())}
        votes = [vote for vote in self._vote_table({}) if vote.item in places and not vote.unit]
        names = {name: number for number, name in enumerate(dict.fromkeys(vote.annotator for vote in votes))}
        newest = {(places[vote.item], names[vote.annotator]): vote.value for vote in votes}
        return torch.tensor([(*who, value) for who, value in newest.items()], dtype=torch.int64).reshape(-1, 3)

    def restore(self, report: Report, path: Path, device: str, seeds: Seeds) -> Learner:
        """The model of a report: its file, or the same fit once more where the file is gone or holds another model."""
        learner = self.learner(device)
        if path.is_file() and sha256(path.read_bytes()).hexdigest() == report.weights:
            learner.load(path)
            return learner
        if learner.warm:
            raise ProjectError(
                f"{path} is gone or changed, and the next fit continues from it: bring it back or start over"
            )
        before = self.as_of(report)
        learner.fit(self.pool, before.job(report.round, {}), seeds.child("fit", report.round))
        if learner.save(path) != report.weights:
            raise ProjectError(
                f"the model {path} is gone and could not be made again bit by bit: use the versions and threads of "
                "project.json, or train again"
            )
        return learner

    def measure(self, learner: Learner) -> dict[str, float]:
        """Metrics on the test part; empty without one."""
        test = self._kept(self.data.split.test)
        if not len(test):
            return {}
        return self.task.metrics(learner.predict(self.pool, torch.from_numpy(test)), self._truth(test))

    def watched(self, learner: Learner, seeds: Seeds) -> list[Any]:
        """Predicted labels of a fixed unlabelled set, where the task has classes."""
        if self.task.num_classes is None:
            return []
        candidates = self.data.split.candidates
        ids = seeds.numpy("watched").choice(candidates, min(WATCHED, len(candidates)), replace=False)
        return self.task.decide(learner.predict(self.pool, torch.from_numpy(np.sort(ids))))

    def agreement(self, before: Sequence[Any], now: Sequence[Any]) -> float | None:
        """Cohen's kappa of two models on the fixed set."""
        return cohen(before, now) if len(before) == len(now) > 0 else None

    def sets(self) -> dict[Over, Tensor]:
        """Ids of the sets that needs range over, ascending."""
        return {"labelled": self.labels[0].sort().values, "validation": torch.from_numpy(self._validation)}

    def tables(self) -> dict[Need, Table]:
        """What strategies read without a model; of labels, those of labelled and of validation items alone."""
        return {
            LABELS: self._label_table, VOTES: self._vote_table, COST: self._cost_table,
            LABELS.at("validation"): lambda sets: self._truth(self._validation),
            ANNOTATORS: lambda sets: self.store.people,
            WORDS: lambda sets: word_rows(self.pool, sets["candidates"]),
        }  # fmt: skip

    def _label_table(self, sets: Mapping[Over, Tensor]) -> Tensor:
        ids, values = self.labels
        return self.task.encode(values)[ids.argsort()]

    def _vote_table(self, sets: Mapping[Over, Tensor]) -> list[Vote]:
        votes = list(self._votes())
        encoded = self.task.encode([vote.value for vote in votes]).tolist()
        return [replace(vote, value=value) for vote, value in zip(votes, encoded, strict=True)]

    def _votes(self) -> Iterator[Vote]:
        return self.edits.votes(self.store.votes(self.basis))

    def _cost_table(self, sets: Mapping[Over, Tensor]) -> Tensor:
        return torch.ones(len(sets["candidates"]))

    def _unlabelled(self, labelled: Tensor) -> Tensor:
        known = len(self.data.pool) + len(self._made) + self.edits.added
        taken = np.concatenate([self.store.reserved(), self.edits.removed, labelled.numpy()])
        return torch.from_numpy(np.setdiff1d(np.arange(known), taken))

    def _asked(self, round: int) -> Tensor:
        gone = set(self.edits.removed.tolist())
        asked = [row.item for row in self.store.questions(round)]
        return torch.tensor([item for item in asked if item not in gone], dtype=torch.int64)

    @cached_property
    def _validation(self) -> NDArray[np.int64]:
        return self._kept(self.data.split.validation)

    def _kept(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.setdiff1d(ids, self.edits.removed)

    def _truth(self, ids: NDArray[np.int64]) -> Tensor:
        labels = self.data.labels
        if labels is None or not len(ids):
            return self.task.encode([])
        return self.task.encode([self.edits.now(self.original.check(labels[position])) for position in ids])
