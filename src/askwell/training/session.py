"""What a fit and its child runs share: device, progress, what is written down, and where a paused fit stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from askwell.core.learner import Progress
from askwell.errors import UnknownName
from askwell.training.guard import Guard

__all__ = ["Mark", "Mode", "Pause", "Paused", "Session"]

Mode = Literal["fit", "rehearse", "outline"]
"""Every step; the first, middle and last step of each phase; none."""
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


class Paused(BaseException):
    """Leaves `train` between two ticks; no `except Exception` of a scheme stops it."""


@dataclass(frozen=True)
class Mark:
    """Where a phase stood: its next step, whether it had ended, and all that its run held."""

    step: int
    ended: bool
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Pause:
    """A fit that stopped between two ticks; `fit(…, resume=pause)` goes on with it, as often as wanted."""

    rehearsal: str
    marks: Mapping[tuple[str, str], Mark]


@dataclass
class Session:
    """One `fit`, `rehearse` or `outline`.

    events  (kind, name) of all that happened, in order, where it is recorded
    opened  what was opened: modules, streams and updates with their numbers, where it is recorded
    """

    device: str = "cpu"
    precision: str = "float32"
    mode: Mode = "fit"
    progress: Progress | None = None
    record: bool = False
    pause_after: int | None = None
    marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    opened: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        self.guard = Guard() if self.record else None
        self._ticks = self._depth = 0

    @property
    def outside(self) -> bool:
        """Whether no phase is under way."""
        return self._depth == 0

    def steps(self, start: int, length: int) -> Iterator[int]:
        """The steps of a phase that are taken, from `start` on."""
        if self.mode == "outline":
            return iter(())
        if self.mode == "rehearse":
            return iter(sorted({0, length // 2, length - 1} if length else ()))
        return iter(range(start, length))

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision, where it was asked for."""
        dtype = PRECISIONS[self.precision]
        return nullcontext() if dtype is None else torch.autocast(torch.device(self.device).type, dtype)

    def event(self, *what: Any) -> None:
        """Writes down what happens, where it is recorded."""
        if self.record:
            self.events.append(what)

    def open(self, kind: str, name: str, facts: Callable[[], Any]) -> None:
        """Writes down what is opened, where it is recorded."""
        if self.record:
            self.opened.setdefault(kind, {})[name] = facts()

    def mark(self, run: str, phase: str) -> Mark | None:
        """Where a paused fit left this phase; phases inside a tick of another one are never left half way."""
        return self.marks.get((run, phase)) if self.outside else None

    def leave(self, run: str, phase: str, mark: Callable[[], Mark]) -> None:
        """Remembers a phase's place, if this fit may be paused."""
        if self.pause_after is not None and self.outside:
            self.marks[run, phase] = deepcopy(mark())

    def between(self, run: str, phase: str, mark: Callable[[], Mark]) -> None:
        """Called between two ticks: raises `Paused` when enough of them were taken."""
        if self.pause_after is not None and self._ticks >= self.pause_after and self._depth == 1:
            self.marks[run, phase] = deepcopy(mark())
            raise Paused
        self._ticks += 1

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Inside, a phase is under way."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
