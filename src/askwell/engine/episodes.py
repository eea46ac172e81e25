"""Active learning in memory, as an episode that a policy learns from: what is bought is known, and trained on."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

import torch
from torch import Tensor

from askwell.core.learner import Job, Learner
from askwell.core.needs import Need
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.data import Data
from askwell.engine.assemble import task_for
from askwell.engine.compute import allocator

__all__ = ["Episode"]


class Episode:
    """One episode on labelled data: buy labels, ask the model, see how good it is. Nothing is written.

    seeds  of weights, order of training and draws; the same seeds and purchases, the same numbers
    """

    def __init__(self, data: Data, recipe: Recipe, seeds: Seeds, device: str = "cpu") -> None:
        self.data, self.recipe, self.seeds, self.device = data, recipe, seeds, device
        self.task = task_for(recipe, data.classes)
        self.batches: list[Tensor] = []
        self.learner: Learner | None = None

    @property
    def bought(self) -> Tensor:
        """(M,) ids in the order in which they were bought."""
        return torch.cat([torch.empty(0, dtype=torch.int64), *self.batches])

    @property
    def left(self) -> Tensor:
        """(N,) ids of candidates that were not bought, ascending."""
        candidates = torch.from_numpy(self.data.split.candidates)
        return candidates[~torch.isin(candidates, self.bought)]

    def labels(self, ids: Tensor) -> Tensor:
        """Labels of these items as `Task.encode` has them; to be asked of what was bought alone."""
        assert self.data.labels is not None, "an episode is played on labelled data"
        return self.task.encode([self.task.check(self.data.labels[item]) for item in ids.tolist()])

    def buy(self, ids: Tensor) -> None:
        """Adds the labels of these items and trains on all that was bought."""
        self.batches.append(ids)
        learner = self.recipe.learner.build(self.data.pool.form, self.task, self.recipe.scheme, self.device)
        previous = self.learner.state() if self.learner is not None and learner.warm else {}
        bought, checked = self.bought, torch.from_numpy(self.data.split.validation)
        job = Job(
            bought, self.labels(bought), self.left, checked, self.labels(checked),
            previous=previous, batches=tuple(self.batches), round=len(self.batches) - 1,
        )  # fmt: skip
        learner.fit(self.data.pool, job, self.seeds.child("fit", len(self.batches)))
        self.learner = learner

    def told(self, need: Need, ids: Tensor) -> Tensor:
        """(n, …) what the last model says of these items."""
        assert self.learner is not None, "there is no model before anything was bought"
        seeds, out = self.seeds.child("compute", len(self.batches)), allocator(Path(gettempdir()))
        rows: Tensor = self.learner.compute(self.data.pool, [need], {need.over: ids}, seeds, out)[need]
        return rows

    def value(self) -> float:
        """The task's headline metric on the validation part; 0 before there is a model."""
        if self.learner is None:
            return 0.0
        ids = torch.from_numpy(self.data.split.validation)
        return self.task.metrics(self.learner.predict(self.data.pool, ids), self.labels(ids))[self.task.headline]

    def shuffled(self, name: str) -> Tensor:
        """(N,) candidates in an order of this episode's own."""
        left = self.left
        return left[torch.randperm(len(left), generator=self.seeds.torch(name))]
