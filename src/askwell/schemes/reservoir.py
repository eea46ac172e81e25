"""Replay training for streams: a few steps on the newest labels and a sample of the old ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from askwell.core.scheme import Draw, Facts, Run
from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.functional.reservoir import reservoir
from askwell.schemes.supervised import Supervised

__all__ = ["Reservoir"]


@dataclass(frozen=True)
class Reservoir(Supervised):
    """Continues from the last weights with SGD on the newest `buffer` labels and a uniform sample of those before.

    buffer  m newest labels, in the order of their questions: all of them are trained on
    size    R older labels at most, a reservoir: an older label that has left it is never trained on again

    The cost of a fit does not grow with the number of labels: `epochs` passes over at most m + R of them. After drift,
    labels that have turned wrong leave with the reservoir. The other settings are `supervised`'s.

    Reservoir: Vitter 1985, doi:10.1145/3147.3165; as a memory for training on streams: Chaudhry et al. 2019, arXiv
    1902.10486.

    >>> from askwell.core.scheme import Facts
    >>> Reservoir(buffer=32, size=200, epochs=10, batch=32).length(Facts(10, 10, 1000, 0, 0, 9))
    80
    """

    epochs: int | None = 20
    batch: int = 16
    lr: float = 0.02
    kind: str = "sgd"
    schedule: str = "constant"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    policy: str | tuple[Any, ...] = "warm"
    buffer: int = 32
    size: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.buffer < 1 or self.size < 0:
            raise InputError(
                f"scheme Reservoir takes a buffer from 1 and a size from 0, got {self.buffer} and {self.size}"
            )

    def length(self, facts: Facts) -> int:
        return super().length(self._held(facts))

    def pass_length(self, facts: Facts) -> int:
        return super().pass_length(self._held(facts))

    def _held(self, facts: Facts) -> Facts:
        """The same facts with as many labels as are trained on."""
        return replace(facts, n_labelled=min(facts.n_labelled, self.buffer + self.size))

    def drawn(self, run: Run) -> Draw:
        """The older labels that the reservoir of this run holds, and the newest ones."""
        draw = run.draw("labelled")
        old = max(0, len(draw.ids) - self.buffer)
        kept = reservoir(draw.ids[:old], self.size, Seeds(run.seeds.root).torch("reservoir")).to(draw.ids.device)
        rows = torch.cat([kept, torch.arange(old, len(draw.ids), device=draw.ids.device)])
        return Draw(*(None if part is None else part[rows] for part in (draw.ids, draw.y, draw.w)))  # type: ignore[arg-type] # ids are there
