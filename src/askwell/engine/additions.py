"""Items that come to a project after it was made: entered behind all others, and found again when it is opened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from askwell.core.pool import Pool
from askwell.core.task import Task
from askwell.data import Data, Joined, MadePool, load
from askwell.data.load import applying, items_like
from askwell.errors import InputError, ProjectError
from askwell.store import Segment, Store

__all__ = ["enter", "found_again", "joined", "known_labels", "loaded", "made_from"]


READING = ("text", "key", "encoding")
"""Options that hold for what is added too, where it takes them."""


def loaded(source: Any, pool: Pool, data: Data, classes: Sequence[str], loading: Mapping[str, Any]) -> Data:
    """Items that look like those of the pool; their labels are read by the project's task and its present classes."""
    told = {name: value for name, value in data.options.items() if name in READING and isinstance(value, str)}
    kind = {"task": data.task} if data.task != "classification" and not isinstance(source, Data) else {}
    named = {"classes": classes} if classes else {}
    return load(source, like=pool, **{**applying(told, source), **named, **kind, **loading})


def known_labels(data: Data, task: Task) -> dict[int, Any]:
    """The labels that came with items, by place, in the task's canonical form."""
    if data.labels is None:
        return {}
    return {int(place): task.check(data.labels[place]) for place in np.flatnonzero(data.known)}


def enter(store: Store, pool: Pool, data: Data, labels: Mapping[int, Any], known: int) -> int:
    """Records new items and their labels in one transaction, and returns the first one's position.

    pool    all items so far; one that has an id of theirs raises `BadData`
    known   number of edits that the labels were read by
    Raises `InputError` where the same items, by hash, are in the project already.
    """
    Joined([pool, data.pool])
    if data.pool.digest in {segment.digest for segment in store.segments()}:
        raise InputError(f"the items of {data.name} are in the project already", got=data.name)
    source = {"name": data.name, "source": data.source, "options": dict(data.options)}
    return store.extend(len(data.pool), json.dumps(source), data.pool.digest, labels, known=known).start


def found_again(
    path: Path, store: Store, pool: Pool, given: Sequence[Any] = (), there: Mapping[int, Pool] | None = None
) -> dict[int, Pool]:
    """The pools of all additions by their first position: from their sources, or as given, checked by hash.

    given  what was added from memory, in the order of adding; there: those that are known already
    """
    rest, pools = list(given), dict(there or {})
    for segment in store.segments()[1:]:
        if segment.kind == "data" and segment.start not in pools:
            pools[segment.start] = _again(path, segment, pool, rest)
    if rest:
        raise InputError(f"{len(given)} additions are given, {len(given) - len(rest)} were made from memory", got=rest)
    return pools


def _again(path: Path, segment: Segment, pool: Pool, rest: list[Any]) -> Pool:
    known = json.loads(segment.source)
    if not known["source"] and not rest:
        last = segment.start + segment.n - 1
        raise ProjectError(
            f"items {segment.start} to {last} of {path} were added from memory: give them again, "
            "Project.open(path, …, added=[…])"
        )
    source = known["source"] or rest.pop(0)
    given = {name: value for name, value in known["options"].items() if name == "features"}
    found = items_like(source, pool, known["options"], **given)
    if found.digest != segment.digest:
        raise ProjectError(f"the data that were added to {path} have changed: {known['name']} has another hash now")
    return found


def made_from(store: Store) -> dict[int, int | None]:
    """Made items, and what they were made from or next to, where the strategy named it."""
    return {one["item"]: one["parent"] for one in store.made()}


def joined(pool: Pool, store: Store, added: Mapping[int, Pool]) -> Pool:
    """All items in the order in which they came: the data, additions, and whatever strategies have made."""
    payloads = {one["item"]: one["payload"] for one in store.made()}
    pools: list[Pool] = [pool]
    for kind, group in groupby(store.segments()[1:], key=lambda segment: segment.kind):
        stretch = list(group)
        if kind == "data":
            pools += [added[segment.start] for segment in stretch]
        else:
            start, end = stretch[0].start, stretch[-1].start + stretch[-1].n
            pools.append(MadePool(pool, [payloads[position] for position in range(start, end)], start))
    return Joined(pools) if len(pools) > 1 else pool
