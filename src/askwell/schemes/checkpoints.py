"""A committee from one fit: copies of the network on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from math import ceil
from typing import Any

from torch import nn

from askwell.core.scheme import Facts, Run, Tick
from askwell.errors import InputError
from askwell.schemes.supervised import Supervised
from askwell.training.average import follow

__all__ = ["Checkpoints"]


@dataclass(frozen=True)
class Checkpoints(Supervised):
    """Supervised training that keeps the network as it was at its last checkpoints: members at no further training.

    last    T checkpoints; the last one is the network as it ends
    late    where the first may be taken, as a share of the fit: they follow at equal distances from there to the end
    cycles  0: checkpoints of one descent. From `last` on: a snapshot ensemble; the learning rate falls by half a cosine
            and starts over that many times, and the checkpoints are the networks at the ends of the last T cycles

    The draws of `mc_probs` are the checkpoints, oldest first; `probs` and what is predicted are their mean, and all
    else is of the network as it ends. Members of one fit are alike, so that their disagreement is too small: combine
    several fits, `ensemble(members=3, of=net, inner_draws=4)`. T copies of the network, and T times the scoring.

    Chitta, Álvarez, Haussmann and Farabet 2019, arXiv 1905.12737, which leaves open when checkpoints are taken; with
    cycles: Huang et al. 2017, "Snapshot Ensembles", arXiv 1704.00109.

    >>> Checkpoints(last=3, late=0.5).taken(100)
    (67, 84, 100)
    >>> Checkpoints(last=2, cycles=4).taken(100)
    (75, 100)
    """

    last: int = 4
    late: float = 0.5
    cycles: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.last < 1:
            raise InputError(f"last of scheme Checkpoints must be at least 1, got {self.last}", got=self.last)
        if not 0 <= self.late < 1:
            raise InputError(f"late of scheme Checkpoints must be at least 0 and below 1, got {self.late}")
        if self.cycles and self.cycles < self.last:
            raise InputError(
                f"cycles of scheme Checkpoints must be 0 or at least `last`, {self.last}, got {self.cycles}"
            )
        if self.cycles and (self.schedule, self.warm_up) != ("cosine", 0):
            raise InputError(
                "schedule of scheme Checkpoints must be 'cosine' without warm_up if cycles are given, got "
                f"{self.schedule!r} and {self.warm_up}"
            )
        for name in ("stop", "average"):
            if getattr(self, name):
                raise InputError(f"{name} of scheme Checkpoints must be (): its checkpoints are at fixed steps")

    @property
    def most_draws(self) -> int:
        """T."""
        return self.last

    def committee(self, run: Run) -> tuple[nn.Module, ...]:
        """The checkpoints, oldest first."""
        return tuple(getattr(run.m, name) for name in self._names)

    def taken(self, length: int) -> tuple[int, ...]:
        """After how many of `length` steps each checkpoint is taken."""
        if self.cycles:
            first = self.cycles - self.last
            return tuple(ceil((place + 1) * length / self.cycles) for place in range(first, self.cycles))
        start = int(self.late * length)
        return tuple(start + ceil((place + 1) * (length - start) / self.last) for place in range(self.last))

    def companions(self, run: Run) -> Mapping[str, Callable[[], nn.Module]]:
        """A copy of the network for each checkpoint."""
        return {**super().companions(run), **{name: lambda: deepcopy(run.m.net) for name in self._names}}

    def supervise(self, run: Run) -> Callable[[Tick], None]:
        """One step, after which checkpoints may be taken."""
        learn, places = super().supervise(run), dict(zip(self._names, self.taken(self.length(run.facts)), strict=True))
        run.report.notes["checkpoints"] = list(places.values())

        def step(tick: Tick) -> None:
            learn(tick)
            for name, place in places.items():
                if place == tick.step + 1:
                    run.act(name, follow, getattr(run.m, name), run.m.net, 1.0)

        return step

    def _optimiser(self, facts: Facts) -> dict[str, Any]:
        numbers = super()._optimiser(facts)
        return numbers | {"schedule": ("cyclic", self.length(facts), self.cycles)} if self.cycles else numbers

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"checkpoint{place}" for place in range(self.last))
