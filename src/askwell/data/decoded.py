"""Batches of rows that are made when a batch first needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from torch import Generator, Tensor

from askwell.data.lazy import LazyRows
from askwell.data.tensors import Gathered, shared

__all__ = ["Decoded"]

AHEAD = 1024


class Decoded:
    """Items over lazy rows (N, …): a batch makes those that are missing, and once all are there it costs one index.

    finish  turns indexed rows into what `Form` says, as for `Gathered`
    homes   the same items by device; rows move to a device when all of them are there
    """

    def __init__(
        self,
        lazy: LazyRows,
        finish: Callable[[Tensor], Tensor],
        device: str = "cpu",
        homes: dict[str, Decoded] | None = None,
    ) -> None:
        self.lazy, self.finish, self.device = lazy, finish, device
        self.homes = {} if homes is None else homes
        self.homes[device] = self
        self._whole: Gathered | None = None

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Tensor]]:
        """Yields (place among `positions`, at most `size` items); looks for missing rows about 1,000 at a time."""
        if self.lazy.complete:
            yield from self._resident().batches(positions, size)
            return
        ahead = max(size, AHEAD // size * size)
        for start in range(0, len(positions), ahead):
            part = positions[start : start + ahead]
            rows = shared(self.lazy.want(part.cpu().numpy()))
            for where, batch in Gathered(rows, self.finish, device=self.device).batches(part, size):
                yield slice(start + where.start, start + where.stop), batch

    def to(self, device: str) -> Decoded:
        """The same items on `device`; asking again copies nothing."""
        return self.homes[device] if device in self.homes else Decoded(self.lazy, self.finish, device, self.homes)

    def _resident(self) -> Gathered:
        if self._whole is None:
            rows = shared(self.lazy.want(np.empty(0, np.int64)))
            self._whole = Gathered(rows, self.finish).to(self.device)
        return self._whole
