"""Endless rows for training: one order and one augmentation seed per stream, one index per step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from askwell.core.pool import Items
from askwell.core.scheme import Draw, Rows
from askwell.core.seeds import Seeds
from askwell.training.augment import Augment

__all__ = ["FitStream", "Source"]

Note = Callable[[], None]
"""Called at every step, for the record."""
AHEAD = 16
"""Steps whose order is drawn at once."""


class Source(NamedTuple):
    """One view of a stream: the items it reads and how it changes them."""

    items: Items
    change: Augment


class FitStream:
    """Rows of a draw without end: whole passes in random order, or in proportion to `p`.

    Every step has exactly `size` rows, so a small draw repeats; an empty draw gives no rows and moves no generator.
    """

    def __init__(self, draw: Draw, size: int, sources: Sequence[Source], seeds: Seeds, note: Note) -> None:
        self.draw, self.size = draw, size
        self._sources, self._note = sources, note
        self._order = seeds.torch("order")
        self._views = [seeds.torch("view", place) for place in range(len(sources))]
        self._queue = torch.empty(0, dtype=torch.int64, device=draw.ids.device)
        self._place = 0

    def next(self) -> Rows:
        """The next `size` rows."""
        self._note()
        rows = self._take()
        ids = self.draw.ids[rows]
        views = tuple(self._view(*pair, ids) for pair in zip(self._sources, self._views, strict=True))
        y, w = self.draw.y, self.draw.w
        return Rows(ids, views, None if y is None else y[rows], None if w is None else w[rows])

    def refill(self, draw: Draw) -> None:
        """Rows of another draw from now on, from the start of a pass; order and views go on from their generators."""
        device = self._queue.device
        self.draw = Draw(draw.ids.to(device), *(_moved(part, device) for part in (draw.y, draw.w, draw.p)))
        self._queue, self._place = self.draw.ids[:0], 0

    def state(self) -> dict[str, Any]:
        """Where the stream stands."""
        return {
            "draw": self.draw,
            "queue": self._queue,
            "place": self._place,
            "generators": [one.get_state() for one in (self._order, *self._views)],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts the stream where `state` found it."""
        self.draw, self._queue, self._place = state["draw"], state["queue"], state["place"]
        for one, place in zip((self._order, *self._views), state["generators"], strict=True):
            one.set_state(place)

    def _take(self) -> Tensor:
        if not len(self.draw.ids):
            return self._queue
        if len(self._queue) - self._place < self.size:
            self._queue = torch.cat([self._queue[self._place :], self._ahead()])
            self._place = 0
        self._place += self.size
        return self._queue[self._place - self.size : self._place]

    def _ahead(self) -> Tensor:
        n, wanted = len(self.draw.ids), AHEAD * self.size
        if self.draw.p is not None:
            drawn = torch.multinomial(self.draw.p.cpu().double(), wanted, replacement=True, generator=self._order)
        else:
            passes = range(-(-wanted // n))
            drawn = torch.cat([torch.randperm(n, generator=self._order) for _ in passes])
        return drawn.to(self._queue.device)

    def _view(self, source: Source, rng: Generator, ids: Tensor) -> Any:
        if not len(ids):
            return first_batch(source.items, ids.new_zeros(1))[:0]
        return source.change(first_batch(source.items, ids, rng), rng)


def _moved(part: Tensor | None, device: torch.device) -> Tensor | None:
    return None if part is None else part.to(device)


def first_batch(items: Items, ids: Tensor, rng: Generator | None = None) -> Any:
    """All these items as one batch."""
    return next(items.batches(ids, len(ids), rng))[1]
