"""The users' own ids of the items of a pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from askwell.errors import BadData, UnknownName

__all__ = ["Keys", "Named", "Numbered", "keys_for"]

SHOWN = 5
SEARCHED = 20_000


class Numbered:
    """Row numbers, for items that have no ids of their own; the first is `start`.

    >>> Numbered(9).names([0, 8]), Numbered(9, start=100).names([0, 8])
    (['0', '8'], ['100', '108'])
    """

    def __init__(self, n: int, start: int = 0) -> None:
        self.n, self.start = n, start

    def __len__(self) -> int:
        return self.n

    def names(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        return [str(self.start + position) for position in np.asarray(positions, np.int64).tolist()]

    def positions(self, names: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._position(name) for name in names], np.int64)

    def __contains__(self, name: str) -> bool:
        if not (name.isascii() and name.isdigit()):
            return False
        return 0 <= int(name) - self.start < self.n and str(int(name)) == name

    def _position(self, name: str) -> int:
        if name in self:
            return int(name) - self.start
        raise UnknownName("item", name, [str(self.start), f"… {self.start + self.n - 1}"][: self.n])


class Named:
    """Ids that the user gave, each once; `where` says what they are, for the message about a duplicate."""

    def __init__(self, ids: Sequence[str], where: str = "ids") -> None:
        self.ids, self.where = list(ids), where
        if len(set(self.ids)) < len(self.ids):
            twice, times = Counter(self.ids).most_common(1)[0]
            raise BadData(f"{where}: {twice!r} names {times} items, every id must name one", got=twice)

    def __len__(self) -> int:
        return len(self.ids)

    def names(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        return [self.ids[position] for position in np.asarray(positions, np.int64).tolist()]

    def positions(self, names: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._position(name) for name in names], np.int64)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.ids)}

    def _position(self, name: str) -> int:
        if name not in self._places:
            near = get_close_matches(name, self.ids[:SEARCHED], n=SHOWN)
            raise UnknownName("item", name, near or [*self.ids[:SHOWN], *["…"] * (len(self.ids) > SHOWN)])
        return self._places[name]


Keys = Named | Numbered


def keys_for(n: int, keys: Sequence[str] | Keys | None) -> Keys:
    """Keys of n items: the given ones, or row numbers."""
    if keys is None:
        return Numbered(n)
    made = keys if isinstance(keys, Named | Numbered) else Named([str(key) for key in keys])
    if len(made) != n:
        raise BadData(f"there are {len(made)} ids for {n} items", got=len(made))
    return made
