"""When a phase ends before its last step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from askwell.core.scheme import Run, Stop
from askwell.core.task import MINIMISED
from askwell.errors import UnknownName
from askwell.training.measure import measure

__all__ = ["STOPS", "Patience", "Reached", "reads_of", "stop_of"]


@dataclass(frozen=True)
class Reached:
    """Ends the phase once the metric has reached a level `times` epochs running.

    By default 99 % of the labelled items are right. Metrics of `MINIMISED` have reached it when they are at most
    `level`. With few labels the level is reached at once, and stopping there costs several points of test accuracy:
    digits, 100 labels, small CNN: 85.5 % at the first time, 87.7 % after 300 steps more.
    """

    metric: str = "accuracy"
    level: float = 0.99
    times: int = 1
    over: str = "labelled"

    def __call__(self, run: Run, epoch: int) -> bool:
        value = measure(run, self.metric, self.over)
        reached = value <= self.level if self.metric in MINIMISED else value >= self.level
        run.memory["stop"] = run.memory.get("stop", 0) + 1 if reached else 0
        return bool(run.memory["stop"] >= self.times)


@dataclass(frozen=True)
class Patience:
    """Ends the phase once the metric has not got better for `epochs` epochs; the phase ends with the best weights.

    The best weights are copies of all modules, kept in the run as `saved["best"]` until the phase ends, whichever way.
    """

    metric: str = "accuracy"
    epochs: int = 5
    over: str = "validation"

    def __call__(self, run: Run, epoch: int) -> bool:
        value = measure(run, self.metric, self.over) * (-1 if self.metric in MINIMISED else 1)
        best = run.memory.get("stop")
        if best is None or value > best["value"]:
            run.memory["stop"] = {"value": value, "epoch": epoch}
            run.keep("best")
            return False
        return epoch - int(best["epoch"]) >= self.epochs


STOPS: dict[str, Callable[..., Stop]] = {"reached": Reached, "patience": Patience}


def stop_of(spec: tuple[Any, ...]) -> Stop | None:
    """The stop that a tuple names: ("reached", "accuracy", 0.99), ("patience", "nll", 5), or () for none.

    >>> stop_of(("patience", "nll", 5))
    Patience(metric='nll', epochs=5, over='validation')
    """
    if not spec:
        return None
    if spec[0] not in STOPS:
        raise UnknownName("stop", str(spec[0]), STOPS)
    return STOPS[spec[0]](*spec[1:])


def reads_of(spec: tuple[Any, ...]) -> frozenset[str]:
    """The items that a stop measures on.

    >>> sorted(reads_of(("patience", "nll", 5)))
    ['validation']
    """
    stop = stop_of(spec)
    return frozenset() if stop is None else frozenset({getattr(stop, "over", "labelled")})
