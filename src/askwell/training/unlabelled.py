"""Fits without labels: for encoders and generators that learn from items alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.learner import Job, Progress
from askwell.core.pool import Pool
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.errors import BadLabel, InputError
from askwell.training.fit import Fitted, fit

__all__ = ["NoLabels", "fit_unlabelled"]

Makers = Mapping[str, Callable[[], nn.Module]]


@dataclass(frozen=True)
class NoLabels(Task):
    """The task of items that have no labels: nothing to check, to predict or to measure.

    >>> NoLabels().outputs, NoLabels().encode([]).shape
    (0, torch.Size([0]))
    """

    @property
    def outputs(self) -> int:
        return 0

    def check(self, value: Any) -> Any:
        raise BadLabel(f"items of a fit without labels have no label, got {value!r}", got=value)

    def encode(self, values: Sequence[Any]) -> Tensor:
        if values:
            self.check(values[0])
        return torch.empty(0, dtype=torch.int64)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        raise InputError("a fit without labels has no loss of a task: give its updates one of their own")

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        return {}

    def predict(self, outputs: Tensor) -> Tensor:
        return outputs

    def decide(self, predictions: Tensor) -> list[Any]:
        return []


def fit_unlabelled(
    scheme: Scheme,
    pool: Pool,
    ids: Tensor,
    makers: Makers,
    seeds: Seeds,
    *,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Fitted:
    """Trains by a scheme that reads unlabelled items alone, on these ids (n,): no label is anywhere near.

    makers  module name -> function that makes it; "net" is what `run.build()` builds
    Raises `InputError` for a scheme that reads anything else.
    """
    if scheme.reads != {"unlabelled"}:
        raise InputError(
            f"scheme {scheme!r} reads {', '.join(sorted(scheme.reads))}, and without labels there is 'unlabelled' alone"
        )
    none, task = torch.empty(0, dtype=torch.int64), NoLabels()
    job = Job(none, task.encode([]), ids, none, task.encode([]))
    return fit(scheme, pool, job, task, makers, seeds, device=device, progress=progress)
