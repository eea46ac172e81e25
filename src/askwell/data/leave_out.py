"""One user's items apart from everybody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.dataset import Data, Split
from askwell.errors import InputError, UnknownName

__all__ = ["leave_out"]


def leave_out(data: Data, group: Any, *, stretch: int = 20, gap: int = 2) -> tuple[Data, Data]:
    """(everybody else's items, one group's own): to train on before, and to ask about then.

    All of the others' items whose label is known are candidates. The group's own are cut, in their order, into
    stretches of `stretch` items: two to ask from, one for the test, and so on, so that both parts see all times. The
    `gap` items before and after a stretch of the test are in neither part: windows that follow each other may share
    samples, which no item that is asked and tested may. Two suffice where a window reaches no further than the next but
    one, as beats of ecg_mitbih do. Both share the pool of `data`.

    Raises `InputError` where the data have no groups or the group is too small, `UnknownName` for an unknown one.

    Leave-one-user-out as in Gudur et al. 2019, arXiv 1906.00108.

    >>> from askwell.data import load
    >>> data = replace(load("digits"), groups=np.repeat([1, 2], [1000, 797]))
    >>> others, own = leave_out(data, 2)
    >>> len(others.split.candidates), len(own.split.candidates), len(own.split.test)
    (1000, 485, 260)
    """
    if data.groups is None:
        raise InputError(f"{data.name} does not say which group each item belongs to: set `groups`", got=data.name)
    if stretch < 1 or gap < 0:
        raise InputError(f"stretch must be at least 1 and gap at least 0, got {stretch} and {gap}")
    mine = data.groups == group
    if not mine.any():
        raise UnknownName("group", str(group), sorted({str(one) for one in data.groups.tolist()}))
    own = np.flatnonzero(mine & data.known)
    asked, test = _parts(own, stretch, gap)
    for part, use in ((test, "for the test"), (asked, "to ask about")):
        if not len(part):
            what = f"stretches of {stretch} and gaps of {gap}"
            raise InputError(f"group {group} has {len(own)} labelled items: {what} leave none {use}", got=group)
    none = np.empty(0, np.int64)
    others = Split(np.flatnonzero(~mine & data.known), none, none)
    return _part(data, f"without-{group}", others), _part(data, str(group), Split(asked, none, test))


def _part(data: Data, name: str, split: Split) -> Data:
    return replace(data, name=f"{data.name}-{name}", source="", options={}, split=split)


def _parts(own: NDArray[np.int64], stretch: int, gap: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Items to ask from and those of the test; every third stretch is the test's."""
    tested = np.arange(len(own)) // stretch % 3 == 2
    counts, width = np.cumsum(np.pad(tested, (gap + 1, gap))), 2 * gap + 1
    near = counts[width:] > counts[:-width]
    return own[~near], own[tested]
