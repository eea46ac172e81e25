"""Temperature of probabilities against shares of labels."""

from __future__ import annotations

from math import exp, log

from torch import Tensor

__all__ = ["BOUNDS", "share_temperature", "tempered"]

BOUNDS = (0.1, 8.0)
TOLERANCE = 1e-6
LEAST = 1e-6
"""What a probability of zero counts as."""


def tempered(probs: Tensor, temperature: float) -> Tensor:
    """(n, C) float64 softmax(log p / T); above 1 less sure, below 1 surer.

    >>> import torch
    >>> tempered(torch.tensor([[.9, .1]]), 2.0)
    tensor([[0.7500, 0.2500]], dtype=torch.float64)
    """
    return (probs.double().clamp(min=LEAST).log() / temperature).softmax(1)


def share_temperature(probs: Tensor, shares: Tensor) -> float:
    """The temperature in [0.1, 8] at which probabilities (n, C) are nearest to shares of labels (n, C).

    Least mean cross-entropy −Σ share · log p. O(n·C) per step of a bounded search, about 20 steps; 1 for no items.

    >>> import torch
    >>> round(share_temperature(torch.tensor([[.9, .1]]), torch.tensor([[.75, .25]])), 3)
    2.0
    """
    from scipy.optimize import minimize_scalar

    if not len(probs):
        return 1.0
    logs = probs.double().clamp(min=LEAST).log()

    def distance(step: float) -> float:
        return -float((shares * (logs / exp(step)).log_softmax(1)).sum()) / len(logs)

    found = minimize_scalar(
        distance, bounds=(log(BOUNDS[0]), log(BOUNDS[1])), method="bounded", options={"xatol": TOLERANCE}
    )
    return exp(float(found.x))
