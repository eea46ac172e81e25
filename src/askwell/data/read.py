"""What a reader of some kind of data finds, before anything is split or fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Pool
from askwell.data.keys import Keys

__all__ = ["Found", "concatenated"]


@dataclass(frozen=True, eq=False)
class Found:
    """Items, labels and parts of one source.

    make     builds the pool: make(fit_on=candidates, features=…, cache=…), so that what is fitted sees candidates only
    labels   as they stand in the source, one per item; None when it has none
    keys     the users' own ids; row numbers where there are none
    parts    per item CANDIDATE, VALIDATION or TEST (see split.py); None when the source has no parts
    groups   who or what each item comes from, such as a patient: items of one group come in the order of time
    guessed  the labels are names of folders: they count only if one of them is among the classes that the user gives
    """

    name: str
    count: int
    make: Callable[..., Pool]
    labels: Iterable[Any] | None = None
    classes: tuple[str, ...] | None = None
    parts: NDArray[np.int8] | None = None
    guessed: bool = False
    keys: Sequence[str] | Keys | None = None
    groups: NDArray[Any] | None = None


def concatenated(*sizes: tuple[int, int]) -> NDArray[np.int8]:
    """Parts of files that are laid one behind the other: (part, number of items) each.

    >>> concatenated((0, 2), (2, 1)).tolist()
    [0, 0, 2]
    """
    return np.concatenate([np.full(count, part, np.int8) for part, count in sizes])
