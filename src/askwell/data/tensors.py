"""Items as batches of tensors: one index per step, into rows that stay on the device."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

__all__ = ["Gathered", "channels_first", "channels_last", "grey", "plain", "shared", "tokens"]

RESIDENT = 8 << 30


class Gathered:
    """Rows (N, …) in memory or in a memory map; a batch is one index and one conversion.

    finish  turns indexed rows into what `Form` says: float images, int64 tokens
    Rows of up to 8 GiB move to a device once and stay there; larger ones are indexed on the host.
    """

    def __init__(
        self, rows: Tensor, finish: Callable[[Tensor], Tensor], homes: dict[str, Tensor] | None = None, device: str = ""
    ) -> None:
        self.rows, self.finish, self.device = rows, finish, device or str(rows.device)
        self.homes = {str(rows.device): rows} if homes is None else homes

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Tensor]]:
        """Yields (place among `positions`, at most `size` items). Costs what indexing a plain tensor costs."""
        positions = positions.to(self.rows.device)
        for start in range(0, len(positions), size):
            where = slice(start, min(start + size, len(positions)))
            batch = self.rows.index_select(0, positions[where])
            yield where, self.finish(batch.to(self.device))

    def to(self, device: str) -> Gathered:
        """The same items on `device`; asking again copies nothing."""
        if device not in self.homes:
            home = self.rows.to(device) if self.rows.nbytes <= RESIDENT else self.rows
            self.homes[device] = self.homes.setdefault(str(home.device), home)
        return Gathered(self.homes[device], self.finish, self.homes, device)


def shared(array: NDArray[Any]) -> Tensor:
    """A tensor over the array's own memory."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array if array.dtype != np.uint16 else array.astype(np.int32))


def plain(rows: Tensor) -> Tensor:
    """Numbers as float32, as they are."""
    return rows.to(torch.float32)


def tokens(rows: Tensor) -> Tensor:
    """Token ids as int64."""
    return rows.to(torch.int64)


def grey(rows: Tensor) -> Tensor:
    """(n, H, W) to (n, 1, H, W) in [0, 1]."""
    return channels_first(rows.unsqueeze(1))


def channels_last(rows: Tensor) -> Tensor:
    """(n, H, W, C) to (n, C, H, W) in [0, 1]."""
    return channels_first(rows.permute(0, 3, 1, 2))


def channels_first(rows: Tensor) -> Tensor:
    """(n, C, H, W) bytes to floats in [0, 1]; floats stay as they are."""
    pixels = rows.to(torch.float32, memory_format=torch.contiguous_format)
    return pixels if rows.is_floating_point() else pixels.div_(255)
