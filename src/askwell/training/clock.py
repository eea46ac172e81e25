"""The steps of one phase: pausing, resuming, stopping early, and reading losses once an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from askwell.core.scheme import Stop, Tick
from askwell.errors import InputError
from askwell.training.session import Mark

if TYPE_CHECKING:
    from askwell.training.run import FitRun

__all__ = ["Phase"]


@dataclass(frozen=True)
class Phase:
    """`length` steps of a run under one name; `stop` is asked every `epoch` steps and after the last."""

    run: FitRun
    name: str
    length: int
    epoch: int
    stop: Stop | None

    def __post_init__(self) -> None:
        if self.length < 0 or self.epoch < 1:
            raise InputError(
                f"phase {self.name!r} has length {self.length} and epoch {self.epoch}: "
                "allowed are lengths from 0 and epochs from 1"
            )

    def ticks(self) -> Iterator[Tick]:
        """One tick per step, from where a paused fit left the phase."""
        run, session = self.run, self.run.session
        mark = session.mark(run.name, self.name)
        if mark is not None:
            run.restore(mark.state)
        if mark is None or not mark.ended:
            with session.inside():
                yield from self._steps(mark.step if mark else 0)
            self._end()

    def _steps(self, start: int) -> Iterator[Tick]:
        run, session = self.run, self.run.session
        for step in session.steps(start, self.length):
            session.between(run.name, self.name, partial(self._mark, step))
            session.event("tick", run.label(self.name), step)
            yield Tick(self.name, step, self.length, step // self.epoch, step + 1 == self.length)
            run.report.steps += 1
            if session.mode == "fit" and self._epoch_ends(step) and self._stops(step):
                break

    def _epoch_ends(self, step: int) -> bool:
        return (step + 1) % self.epoch == 0 or step + 1 == self.length

    def _stops(self, step: int) -> bool:
        run, epoch = self.run, step // self.epoch
        run.settle()
        run.report.epochs += 1
        self._tell(step + 1)
        if self.stop is None or not self.stop(run, epoch):
            return False
        if step + 1 < self.length:
            self._tell(self.length)
        run.report.stopped = f"{self.name}: {self.stop} after {step + 1} steps"
        return True

    def _tell(self, done: int) -> None:
        if self.run.session.progress:
            self.run.session.progress(self.run.label(self.name), done, self.length)

    def _end(self) -> None:
        """The phase ends with the weights that its stop kept as the best."""
        run = self.run
        run.memory.pop("stop", None)
        if "best" in run.saved and self.stop is not None:
            run.bring_back("best")
        run.session.leave(run.name, self.name, partial(self._mark, self.length, ended=True))

    def _mark(self, step: int, ended: bool = False) -> Mark:
        return Mark(step, ended, self.run.state())
