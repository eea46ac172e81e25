"""Metrics of predicted numbers on one held-out set, on torchmetrics; defined on every set, without warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askwell.errors import BadShape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["of_predictions", "r2"]


def of_predictions(predictions: Tensor, targets: Tensor) -> dict[str, float]:
    """Root mean squared error, mean absolute error (both in the labels' units) and R²; empty for an empty set.

    predictions (n, 1), targets (n,). O(n), summed in float64.

    >>> import torch
    >>> found = of_predictions(torch.tensor([[1.], [2.], [5.]]), torch.tensor([1., 2., 3.]))
    >>> {name: round(value, 3) for name, value in found.items()}
    {'rmse': 1.155, 'mae': 0.667, 'r2': -1.0}
    """
    from torchmetrics.functional.regression import mean_absolute_error, mean_squared_error

    if predictions.shape != (len(targets), 1) or targets.ndim != 1:
        raise BadShape(
            f"predictions have shape {tuple(predictions.shape)} and targets {tuple(targets.shape)}: "
            "(n, 1) and (n,) are needed",
            got=(tuple(predictions.shape), tuple(targets.shape)),
        )
    if not len(targets):
        return {}
    found, wanted = predictions[:, 0].double(), targets.double()
    return {
        "rmse": float(mean_squared_error(found, wanted, squared=False)),
        "mae": float(mean_absolute_error(found, wanted)),
        "r2": r2(found, wanted),
    }


def r2(found: Tensor, wanted: Tensor) -> float:
    """1 − squared error / squared deviation from the mean: at most 1, and 0 for whoever always says the mean.

    Where all that is wanted is one number: 1 if found exactly, else 0.

    >>> import torch
    >>> r2(torch.tensor([2., 2.]), torch.tensor([1., 3.])), r2(torch.tensor([1.]), torch.tensor([2.]))
    (0.0, 0.0)
    """
    from torchmetrics.functional.regression import r2_score

    if bool((wanted == wanted[0]).all()):
        return float(bool((found == wanted).all()))
    centred = wanted.double() - wanted.double().mean()
    return float(r2_score(found.double() - wanted.double().mean(), centred))
