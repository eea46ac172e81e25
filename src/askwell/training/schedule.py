"""Learning rates over the steps of a phase, as factors of the first one."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from typing import Any

from askwell.errors import UnknownName

__all__ = ["SCHEDULES", "factor"]


def factor(schedule: tuple[Any, ...], step: int) -> float:
    """What the learning rate is multiplied by at a step, counted from 0.

    ("constant",)           1
    ("cosine", steps, warm) up to 1 over `warm` steps, then half a cosine down to 0 at `steps`
                            (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts)
    ("drop", steps, parts)  a tenth of the last rate after every one of `parts` equal parts

    >>> [round(factor(("cosine", 10, 2), step), 3) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    kind, *numbers = schedule
    if kind not in SCHEDULES:
        raise UnknownName("schedule", str(kind), SCHEDULES)
    return SCHEDULES[kind](step, *numbers)


def _constant(step: int) -> float:
    return 1.0


def _cosine(step: int, steps: int, warm: int = 0) -> float:
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * min(1.0, (step - warm) / max(1, steps - warm))))


def _drop(step: int, steps: int, parts: int = 4) -> float:
    return float(0.1 ** min(parts - 1, step * parts // max(1, steps)))


SCHEDULES: dict[str, Callable[..., float]] = {"constant": _constant, "cosine": _cosine, "drop": _drop}
