"""Strategies that decide item by item, at once, and never look back."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Generator

from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View

__all__ = ["Online"]


class Online(Strategy):
    """A strategy for a stream: it meets the items one after the other and asks about each at once or never.

    On a pool, `choose` walks through the items that it has not met yet until it has asked about n, or none is left.
    """

    partial: ClassVar[bool] = True

    @abstractmethod
    def meet(self, view: View, rng: Generator) -> Batch:
        """Decides about items that have just arrived: all candidates, in the order of their ids.

        Returns those to ask about, perhaps none, and the next state: which of them it met is not kept, for they do not
        come again.
        """
