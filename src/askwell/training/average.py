"""A second set of weights that follows the net: exponential moving average, or the mean of the last part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from askwell.errors import InputError, UnknownName

__all__ = ["AVERAGES", "check_average", "follow", "rate"]

AVERAGES = ("ema", "swa")


def follow(average: nn.Module, net: nn.Module, rate: float) -> None:
    """average ← average + rate·(net − average), over every floating tensor, batch norm's statistics included.

    Integer buffers are copied. A rate of 1 copies all.

    >>> a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = nn.init.constant_(a.weight, 1.0), nn.init.constant_(b.weight, 3.0)
    >>> follow(a, b, 0.25)
    >>> a.weight.item()
    1.5
    """
    with torch.no_grad():
        for mine, other in zip(_all(average), _all(net), strict=True):
            if mine.is_floating_point():
                mine.lerp_(other, rate)
            else:
                mine.copy_(other)


def rate(spec: tuple[str, float], step: int, length: int) -> float:
    """How far the average moves to the net at a step.

    ("ema", decay)  1 − decay; .99 for short runs, .999 for long ones
    ("swa", start)  a copy until `start` of the length is over, then the plain mean of what follows
                    (Izmailov et al. 2018, arXiv 1803.05407, with a mean over every step)

    >>> [rate(("swa", 0.5), step, 8) for step in (3, 4, 5, 7)]
    [1.0, 1.0, 0.5, 0.25]
    """
    kind, number = spec
    if kind == "ema":
        return 1 - number
    return 1 / max(1, step + 1 - int(number * length))


def check_average(spec: tuple[Any, ...]) -> None:
    """Raises unless the tuple is (), ("ema", decay) or ("swa", start) with a number in [0, 1)."""
    if not spec:
        return
    if spec[0] not in AVERAGES:
        raise UnknownName("average", str(spec[0]), AVERAGES)
    if len(spec) != 2 or not 0 <= spec[1] < 1:
        raise InputError(f"average {spec!r} must be ('ema', decay) or ('swa', start) with a number in [0, 1)", got=spec)


def _all(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
