"""Training with half the batch where memory runs out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.learners import Net
from askwell.schemes import Supervised
from askwell.testing.toys import toy


class Hungry(nn.Module):
    """Runs out of memory on more than `most` items of one training step."""

    most: ClassVar[int] = 5
    words: ClassVar[str] = "CUDA out of memory"
    error: ClassVar[type[RuntimeError]] = torch.OutOfMemoryError

    def __init__(self) -> None:
        super().__init__()
        self.body, self.out = nn.Linear(8, 4), nn.Linear(4, 3)

    def forward(self, x):
        if self.training and len(x) > self.most:
            raise self.error(self.words)
        return self.out(self.body(x).relu())


class Starving(Hungry):
    most = 1


class HungryOnTheCPU(Hungry):
    words, error = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate", RuntimeError


class Broken(Hungry):
    words, error = "shapes do not match", RuntimeError


def fitted(model, scheme, labelled=None):
    problem = toy("vector")
    learner = Net(model).build(problem.pool.form, problem.task, scheme)
    return learner, learner.fit(problem.pool, problem.job(labelled), Seeds(1))


@pytest.mark.parametrize("model", [Hungry, HungryOnTheCPU])
def test_the_batch_is_halved_until_it_fits(model, caplog):
    with caplog.at_level(logging.WARNING, "askwell"):
        learner, report = fitted(model, Supervised(steps=3, batch=16))
    assert report.notes["batch"] == 4
    assert [record.getMessage() for record in caplog.records] == [
        "training with 16 items per step does not fit into memory: again with 8",
        "training with 8 items per step does not fit into memory: again with 4",
    ]
    plain, other = fitted(model, Supervised(steps=3, batch=4))
    assert report.rehearsal == other.rehearsal
    assert "batch" not in other.notes
    assert all(torch.equal(value, plain.state()[name]) for name, value in learner.state().items())


def test_it_starts_from_what_a_step_took():
    """Of 12 labelled items a step took 12, not 32."""
    _, report = fitted(Hungry, Supervised(steps=3, batch=32), torch.arange(12))
    assert report.notes["batch"] == 3


def test_two_items_are_the_least():
    with pytest.raises(InputError) as caught:
        fitted(Starving, Supervised(steps=3, batch=7))
    assert str(caught.value) == (
        "training does not fit into memory with 2 items per step: choose a smaller model or smaller items"
    )


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes do not match"):
        fitted(Broken, Supervised(steps=3))


@dataclass(frozen=True)
class Whole(Scheme):
    """One step on all labelled items; it has no batch to shrink."""

    def train(self, run):
        run.build()
        rows = run.stream("labelled", max(2, run.facts.n_labelled))
        update = run.update("task", run.m.net, lr=0.1)
        for _ in run.clock("fit", 1):
            update(lambda rows: run.task.loss(run.m.net(rows.x), rows.y).mean(), rows.next())


def test_a_scheme_without_a_batch_cannot_shrink():
    with pytest.raises(torch.OutOfMemoryError):
        fitted(Hungry, Whole())
