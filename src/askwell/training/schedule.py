"""Learning rates over the steps of a phase, as factors of the first one."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, cos, pi
from typing import Any

from askwell.errors import UnknownName

__all__ = ["SCHEDULES", "factor"]


def factor(schedule: tuple[Any, ...], step: int) -> float:
    """What the learning rate is multiplied by at a step, counted from 0.

    ("constant",)           1
    ("cosine", steps, warm) up to 1 over `warm` steps, then half a cosine down to 0 at `steps`
                            (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts)
    ("drop", steps, parts)  a tenth of the last rate after every one of `parts` equal parts
    ("cyclic", steps, cycles)  half a cosine from 1 down to 0 in each of `cycles` parts, equal to a step
                            (Huang et al. 2017, arXiv 1704.00109)

    >>> [round(factor(("cosine", 10, 2), step), 3) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    >>> [round(factor(("cyclic", 8, 2), step), 3) for step in range(8)]
    [1.0, 0.854, 0.5, 0.146, 1.0, 0.854, 0.5, 0.146]
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


def _cyclic(step: int, steps: int, cycles: int = 6) -> float:
    place = step * cycles // max(1, steps)
    start, end = (ceil(one * max(1, steps) / cycles) for one in (place, place + 1))
    return 0.5 * (1 + cos(pi * (step - start) / (end - start)))


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": _constant, "cosine": _cosine, "drop": _drop, "cyclic": _cyclic,
}  # fmt: skip
