"""Means of losses per item, safe for weights of zero and for no items at all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from askwell.errors import BadShape, UnknownName

__all__ = ["class_weights", "no_loss", "weighted_mean"]


def weighted_mean(losses: Tensor, weights: Tensor | None = None) -> Tensor:
    """sum w·loss / sum w, a scalar with a graph; 0 when there are no items or all weights are 0.

    losses (n,), weights (n,) >= 0 or None. A weight of 0 is the item's absence.

    >>> weighted_mean(torch.tensor([1.0, 4.0, 100.0]), torch.tensor([1.0, 2.0, 0.0]))
    tensor(3.)
    >>> weighted_mean(torch.empty(0))
    tensor(0.)
    """
    if losses.ndim != 1:
        raise BadShape(f"losses have shape {tuple(losses.shape)} instead of (n,)", got=tuple(losses.shape))
    if weights is None:
        return losses.mean() if len(losses) else losses.sum()
    total = weights.sum()
    return (losses * weights).sum() / torch.where(total > 0, total, torch.ones_like(total))


def no_loss(module: nn.Module) -> Tensor:
    """A loss of 0 with a graph, for no rows: an empty batch must not pass through batch norm, whose averages it moves.

    >>> no_loss(nn.Linear(2, 1)).item()
    0.0
    """
    return sum((0 * parameter.flatten()[:1].sum() for parameter in module.parameters()), torch.zeros(()))


def class_weights(kind: str | Sequence[float], targets: Tensor, num_classes: int) -> Tensor:
    """(C,) float32 weight per class: the given numbers, or "balanced": M / (classes seen · count), 0 where unseen.

    >>> class_weights("balanced", torch.tensor([0, 0, 0, 2]), 3)
    tensor([0.6667, 0.0000, 2.0000])
    """
    if not isinstance(kind, str):
        if len(kind) != num_classes:
            raise BadShape(f"{len(kind)} class weights for {num_classes} classes: give one per class", got=kind)
        return torch.tensor(kind, dtype=torch.float32, device=targets.device)
    if kind != "balanced":
        raise UnknownName("class weights", kind, ["balanced"])
    counts = torch.bincount(targets, minlength=num_classes).float()
    seen = (counts > 0).sum().clamp(min=1)
    return torch.where(counts > 0, len(targets) / (seen * counts.clamp(min=1)), torch.zeros_like(counts))
