"""A number per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from askwell.core.needs import MC_PREDICTIONS, PREDICTIONS, Need
from askwell.core.task import Task
from askwell.errors import BadLabel, InputError
from askwell.metrics.regression import of_predictions

__all__ = ["Regression"]

LARGEST = float(torch.finfo(torch.float32).max)


@dataclass(frozen=True)
class Regression(Task):
    """Each item has a number. A net learns it on the scale of the labelled numbers: (label − mean) / scale.

    mean, scale  of the numbers of a fit, set by `fitted`; the scale of numbers that are all equal is 1

    Outputs are (n, 1) on that scale; predictions are (n, 1) in the labels' own units; targets are the labels (n,)
    float32, so about seven digits count. The loss is the squared error on the scale.

    >>> task = Regression().fitted(torch.tensor([10., 20., 30.]))
    >>> round(task.mean, 3), round(task.scale, 3)
    (20.0, 8.165)
    >>> task.predict(torch.tensor([[0.], [1.]])), task.loss(torch.tensor([[0.]]), torch.tensor([30.]))
    (tensor([[20.0000], [28.1650]]), tensor([1.5000]))
    >>> task.check("tall")
    Traceback (most recent call last):
    askwell.errors.BadLabel: label 'tall' is not a finite number
    """

    form: ClassVar[str] = "number"
    headline: ClassVar[str] = "rmse"
    offers: ClassVar[Mapping[Need, str]] = {PREDICTIONS: "predict"}
    drawn: ClassVar[Mapping[Need, str]] = {MC_PREDICTIONS: "predict"}

    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (isfinite(self.mean) and isfinite(self.scale) and self.scale > 0):
            raise InputError(f"mean must be finite and scale above 0, got {self.mean} and {self.scale}")

    @property
    def outputs(self) -> int:
        return 1

    def check(self, value: Any) -> float:
        """The label as a float; text that is a number counts as one, true and false do not."""
        number = _number(value.tolist() if hasattr(value, "tolist") else value)
        if not isfinite(number):
            raise BadLabel(f"label {value!r} is not a finite number", got=value)
        if abs(number) > LARGEST:
            raise BadLabel(f"label {value!r} is larger than {LARGEST:.3g}: divide the labels", got=value)
        return number

    def encode(self, values: Sequence[Any]) -> Tensor:
        """(n,) float32 in the labels' units."""
        return torch.tensor([self.check(value) for value in values], dtype=torch.float32)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(n,) squared error, in squared scales."""
        return (outputs[:, 0] - (targets - self.mean) / self.scale).square()

    def predict(self, outputs: Tensor) -> Tensor:
        """(n, 1) float32 numbers in the labels' units."""
        return outputs.float() * self.scale + self.mean

    def decide(self, predictions: Tensor) -> list[float]:
        """The predicted numbers."""
        found: list[float] = predictions[:, 0].tolist()
        return found

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """rmse, mae and r2 of predictions (n, 1)."""
        return of_predictions(outputs, targets)

    def fitted(self, targets: Tensor) -> Regression:
        """The task on the scale of these numbers (M,): their mean and standard deviation; itself where M is 0."""
        if not len(targets):
            return self
        wide = targets.double()
        varies = bool((wide != wide[0]).any())
        return Regression(float(wide.mean()), float(wide.std(correction=0)) if varies else 1.0)

    def state(self) -> dict[str, Tensor]:
        """mean and scale, float64."""
        return {name: torch.tensor(getattr(self, name), dtype=torch.float64) for name in ("mean", "scale")}

    def restored(self, state: Mapping[str, Tensor]) -> Regression:
        """The task with this mean and scale."""
        return Regression(float(state["mean"]), float(state["scale"]))


def _number(value: Any) -> float:
    """The number that a value is; NaN where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | Real):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")
