"""Small settings for fits: three blobs of images, nets with dropout and batch norm, and schemes that do one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.learner import Job
from askwell.core.scheme import Run, Scheme
from askwell.core.seeds import Seeds
from askwell.models.net import HeadedNet
from askwell.tasks import Classification
from askwell.testing.fakes import FakePool
from askwell.training import Fitted, fit, no_loss, rehearse, weighted_mean
from askwell.training.tensors import tensors

CLASSES = ("a", "b", "c")
NONE = torch.empty(0, dtype=torch.int64)


def net() -> nn.Module:
    """Dropout and batch norm, over images of 4x4."""
    stage = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3))
    return HeadedNet([stage], 8, 3)


def blobs(n: int = 48) -> tuple[Tensor, Tensor]:
    """(n, 1, 4, 4) images around three means, and (n,) classes."""
    rng = torch.Generator().manual_seed(3)
    y = torch.arange(n) % 3
    means = torch.rand(3, 1, 4, 4, generator=rng)
    return (means[y] + 0.1 * torch.randn(n, 1, 4, 4, generator=rng)).clamp(0, 1), y


@dataclass(frozen=True)
class Setting:
    """All that `fit` takes beside the scheme."""

    labelled: int = 18
    validation: int = 12
    seed: int = 7
    maker: Callable[[], nn.Module] = net
    job_changes: Mapping[str, Any] = field(default_factory=dict)

    def job(self) -> Job:
        y = blobs()[1]
        bounds = torch.arange(48).split((self.labelled, self.validation, 48 - self.labelled - self.validation))
        given, valid, free = bounds
        return replace(Job(given, y[given], free, valid, y[valid]), **self.job_changes)

    def parts(self) -> tuple[Any, ...]:
        pool = FakePool(blobs()[0])
        return pool, self.job(), Classification(CLASSES), {"net": self.maker}, Seeds(self.seed)

    def fit(self, scheme: Scheme, **options: Any) -> Fitted:
        return fit(scheme, *self.parts(), **options)

    def rehearse(self, scheme: Scheme) -> str:
        return rehearse(scheme, *self.parts())


@dataclass(frozen=True)
class Scripted(Scheme):
    """A scheme whose `train` is the function it is given."""

    body: Callable[[Run], None]

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"labelled", "unlabelled", "validation", "previous"})

    def train(self, run: Run) -> None:
        self.body(run)

    def config(self) -> dict[str, Any]:
        return {"part": "scripted"}


def plain_loss(run: Run, rows: Any, which: str = "net") -> Tensor:
    """Cross-entropy of one module of the run."""
    if not len(rows):
        return no_loss(getattr(run.m, which))
    return weighted_mean(run.task.loss(getattr(run.m, which)(rows.x), rows.y), rows.w)


def same(one: Fitted, other: Fitted, *names: str) -> bool:
    """Whether two fits ended with the same bits, in these modules or in all."""
    left, right = tensors(one.modules), tensors(other.modules)
    keys = [key for key in left if not names or key.split(".")[0] in names]
    return bool(keys) and all(torch.equal(left[key], right[key]) for key in keys)
