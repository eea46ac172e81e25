"""Temperature scaling: one number that says how far a model's probabilities are to be believed."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import numpy as np

from askwell.errors import BadShape

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.core.task import Task

__all__ = ["BOUNDS", "temperature"]

BOUNDS = (0.05, 20.0)
SPREAD = 0.5
"""Deviation of log T before anything is seen; on digits with 60 and 150 labels it served better than 0.3 and 1."""
TOLERANCE = 1e-6
TINY = float(np.finfo(np.float32).tiny)


def temperature(predictions: Tensor, targets: Tensor, task: Task) -> float:
    """The temperature T in [0.05, 20] by which `task.tempered` makes held-out predictions most likely.

    predictions  (n, C) by `Task.predict`, of items that the model was not fitted on
    targets      by `Task.encode`: class indices (n,), or 0 and 1 (n, C) where each label stands by itself

    T above 1 makes probabilities less sure, below 1 surer; no order of the classes within an item changes, so neither
    does any decision. Guo et al. 2017, arXiv 1706.04599, minimise the summed NLL over T; here log T has a normal prior
    of deviation 1/2 beside it. That keeps T near 1 where few items speak, and finite where none is predicted wrongly;
    hundreds of items outweigh it. 1 for a task without classes and for no items. O(n·C) per step of a bounded scalar
    search, about 20 steps.

    >>> import torch
    >>> from askwell.tasks import Classification
    >>> sure = torch.tensor([[.99, .01]] * 40)
    >>> temperature(sure, torch.tensor([0] * 30 + [1] * 10), Classification(("cat", "dog")))
    3.00...
    """
    from scipy.optimize import minimize_scalar

    if not task.labels or not len(targets):
        return 1.0
    _check(predictions, targets)
    held = predictions.double()
    found = minimize_scalar(
        lambda step: _surprise(task.tempered(held, exp(step)), targets) + (step / SPREAD) ** 2 / 2,
        bounds=(log(BOUNDS[0]), log(BOUNDS[1])),
        method="bounded",
        options={"xatol": TOLERANCE},
    )
    return exp(float(found.x))


def _surprise(predictions: Tensor, targets: Tensor) -> float:
    """Summed NLL in nats; a probability counts as at least the smallest normal float32."""
    if targets.ndim == 1:
        likelihood = predictions.gather(1, targets[:, None])
    else:
        likelihood = predictions.where(targets > 0, 1 - predictions)
    return float(-likelihood.clamp(min=TINY).log().sum())


def _check(predictions: Tensor, targets: Tensor) -> None:
    if predictions.ndim != 2 or targets.shape not in (predictions.shape, predictions.shape[:1]):
        shapes = tuple(predictions.shape), tuple(targets.shape)
        raise BadShape(
            f"predictions have shape {shapes[0]} and targets {shapes[1]}: (n, C) and (n,) or (n, C) are needed",
            got=shapes,
        )
