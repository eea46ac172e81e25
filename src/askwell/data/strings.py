"""Texts that stay where they are and are read by position."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Strings", "chosen"]

BLOCK = 1024


class Strings(Sequence[str]):
    """A sequence of texts that is never held whole; a subclass reads some of them at once."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, positions: Sequence[int]) -> list[str]:
        """The texts at these positions, each from 0 to len − 1."""

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return self.read(range(len(self))[place])
        return self.read([range(len(self))[place]])[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BLOCK):
            yield from self[start : start + BLOCK]


def chosen(texts: Sequence[str], positions: NDArray[np.int64]) -> Iterable[str]:
    """The texts at these positions, read block by block where they are `Strings`.

    >>> list(chosen(["a", "b", "c"], np.array([2, 0])))
    ['c', 'a']
    """
    if not isinstance(texts, Strings):
        return [texts[place] for place in positions.tolist()]
    blocks = (positions[start : start + BLOCK].tolist() for start in range(0, len(positions), BLOCK))
    return (text for block in blocks for text in texts.read(block))
