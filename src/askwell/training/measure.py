"""How good the net of a run is on a set of labelled items, by a metric of the task."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from askwell.core.scheme import Run
from askwell.errors import InputError, UnknownName

__all__ = ["measure"]


def measure(run: Run, metric: str, over: str) -> float:
    """The metric on "labelled" or "validation" items, unaugmented and in eval mode.

    metric  a name of `Task.metrics`, or "loss": the mean of `Task.loss`
    Measures the run's module `average` where there is one, else `net`. O(n) forward passes.
    """
    draw = run.draw(over)
    if draw.y is None or not len(draw.ids):
        raise InputError(f"cannot measure {metric!r}: there are no {over} items with labels", got=over)
    net = getattr(run.m, "average", run.m.net)
    outputs = run.compute(net, draw.ids, net)
    if metric == "loss":
        return float(run.task.loss(outputs, draw.y).mean())
    if metric == "accuracy" and _classes(run, draw.y):
        return float((outputs.argmax(1) == draw.y).float().mean())
    return _named(run.task.metrics(run.task.predict(outputs), draw.y), metric)


def _classes(run: Run, targets: Tensor) -> bool:
    return run.facts.num_classes is not None and targets.ndim == 1 and not targets.is_floating_point()


def _named(values: dict[str, Any], metric: str) -> float:
    if metric not in values:
        raise UnknownName("metric", metric, ["loss", *values])
    return float(values[metric])
