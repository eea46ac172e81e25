"""Digits for schemes: a pool of scikit-learn's 8x8 digits and jobs over it."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from askwell.core.learner import Job
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.models import MLP
from askwell.tasks import Classification
from askwell.testing.fakes import FakePool
from askwell.training import Fitted, fit, rehearse

CLASSES = tuple(map(str, range(10)))


@cache
def digits() -> tuple[Tensor, Tensor]:
    """(1797, 1, 8, 8) in [0, 1] and (1797,) classes."""
    data = load_digits()
    return torch.from_numpy(data.images / 16).float().unsqueeze(1), torch.from_numpy(data.target)


def job(labelled: Tensor, unlabelled: Tensor, validation: Tensor, **changes: Any) -> Job:
    y = digits()[1]
    given = {"labelled": labelled, "targets": y[labelled], "unlabelled": unlabelled}
    return Job(**{**given, "validation": validation, "validation_targets": y[validation], **changes})


def some(n: int = 40, validation: int = 20, unlabelled: int = 100, **changes: Any) -> Job:
    """A job on the first digits of the pool."""
    parts = torch.arange(n + validation + unlabelled).split((n, validation, unlabelled))
    return job(parts[0], parts[2], parts[1], **changes)


def parts(given: Job, seed: int = 0, model: Any = None) -> tuple[Any, ...]:
    pool, model = FakePool(digits()[0]), model or MLP(width=32, depth=1)
    return pool, given, Classification(CLASSES), {"net": lambda: model.build(pool.form, 10)}, Seeds(seed)


def trained(scheme: Scheme, given: Job, seed: int = 0, model: Any = None, **options: Any) -> Fitted:
    return fit(scheme, *parts(given, seed, model), **options)


def rehearsed(scheme: Scheme, given: Job, seed: int = 0) -> str:
    return rehearse(scheme, *parts(given, seed))


def accuracy(fitted: Fitted, ids: Tensor) -> float:
    outputs = fitted.run.compute(fitted.modules.net, ids, fitted.modules.net)
    return float((outputs.argmax(1) == digits()[1][ids]).float().mean())
