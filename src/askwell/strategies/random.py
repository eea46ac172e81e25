"""Random choice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from askwell.core.needs import Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.pick import top

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(Strategy):
    """Draws candidates evenly without replacement: the arm that every other strategy must beat.

    Reads no tensor. O(N).

    Baseline of Settles 2009, "Active Learning Literature Survey", and of every paper since.

    >>> Random().needs
    ()
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return ()

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        return view.pick(top(torch.zeros(len(view), device=view.ids.device), n, rng))
