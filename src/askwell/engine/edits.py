"""What edits make of a project: its classes, its items, and how answers that are older than an edit read now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.store import Edit, Labelled, Resolve, Vote
from askwell.core.task import Task
from askwell.errors import BadLabel, InputError, UnknownName

__all__ = ["Edits", "checked", "merging", "new_class", "renaming", "without"]

Moves = Mapping[str, str]
"""Name of a class -> its name afterwards; a class that is not there keeps its name."""


@dataclass(frozen=True)
class Edits:
    """The edits of a project up to some moment, folded. Nothing that was recorded changes; it is read differently.

    original  the classes with which the project was made; none for labels without classes
    done      edits, oldest first

    >>> edits = Edits(("cat", "dog"), (Edit(1, 0.0, 7, "rename_class", {"old": "cat", "new": "feline"}),))
    >>> edits.classes, edits.now("cat", seq=7), edits.now("cat", seq=8)
    (('feline', 'dog'), 'feline', 'cat')
    """

    original: tuple[str, ...]
    done: tuple[Edit, ...] = ()

    def __len__(self) -> int:
        return len(self.done)

    def before(self, count: int) -> Edits:
        """The first `count` of these edits: what a fit knew that reports this number."""
        return Edits(self.original, self.done[:count])

    def then(self, kind: str, body: Mapping[str, Any]) -> Edits:
        """These edits and one more."""
        return Edits(self.original, (*self.done, Edit(len(self.done) + 1, 0.0, 0, kind, body)))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Classes now: those of the start in their order, then new ones in theirs; merged ones are gone."""
        return tuple(self._numbered.values())

    @cached_property
    def lineage(self) -> tuple[int, ...]:
        """A number per class that a new name leaves as it is: models of one lineage have the same outputs."""
        return tuple(self._numbered)

    @cached_property
    def removed(self) -> NDArray[np.int64]:
        """Positions of the items that were removed, ascending."""
        found = [item for edit in self.done if edit.kind == "remove" for item in edit.body["items"]]
        return np.array(sorted(found), np.int64)

    @cached_property
    def added(self) -> int:
        """How many items were added."""
        return sum(edit.body["n"] for edit in self.done if edit.kind == "add")

    @cached_property
    def former(self) -> Moves:
        """Names that no class has any more, and what their classes are called now."""
        return {name: now for name, now in self._composed[0].items() if name not in self.classes}

    def now(self, label: Any, seq: int = 0) -> Any:
        """A label that was given as event `seq`, as it reads now; without `seq` one of the start.

        Of a list of names each is read so, and those that have become one class are there once.
        """
        return self._moved(label, self._composed[bisect_left(self._seen, seq)])

    def since(self, label: Any, count: int) -> Any:
        """A label by the classes that there were after `count` edits, as it reads now."""
        return self._moved(label, self._composed[count])

    def votes(self, votes: Iterator[Vote]) -> Iterator[Vote]:
        """Standing answers as they read now, without those about removed items."""
        gone = set(self.removed.tolist())
        return (replace(vote, value=self.now(vote.value, vote.seq)) for vote in votes if vote.item not in gone)

    def reading(self, resolve: Resolve) -> Resolve:
        """A resolver of answers as they read now."""
        if not any(self._composed):
            return resolve
        return lambda votes: resolve([replace(vote, value=self.now(vote.value, vote.seq)) for vote in votes])

    def _moved(self, label: Any, moves: Moves) -> Any:
        if not moves:
            return label
        if isinstance(label, list):
            names = {moves.get(name, name) for name in label}
            return [name for name in self.classes if name in names]
        return moves.get(label, label)

    @cached_property
    def _seen(self) -> list[int]:
        return [edit.seen for edit in self.done]

    @cached_property
    def _numbered(self) -> dict[int, str]:
        found = dict(enumerate(self.original))
        for place, edit in enumerate(self.done):
            moves = _moves(edit)
            number = len(self.original) + place
            if edit.kind == "merge_classes":
                kept = [key for key, name in found.items() if name == edit.body["into"]] or [number]
                found = {key: name for key, name in found.items() if name not in moves}
                found.setdefault(kept[0], edit.body["into"])
            elif edit.kind == "add_class":
                found[number] = edit.body["name"]
            found = {key: moves.get(name, name) for key, name in found.items()}
        return found

    @cached_property
    def _composed(self) -> list[Moves]:
        """Per number of edits that were done before: what all later ones together make of a name."""
        found: list[Moves] = [{}]
        for edit in reversed(self.done):
            after, moves = found[-1], _moves(edit)
            found.append({**after, **{name: after.get(new, new) for name, new in moves.items()}})
        return found[::-1]


def _moves(edit: Edit) -> Moves:
    """What one edit makes of names."""
    if edit.kind == "rename_class":
        return {edit.body["old"]: edit.body["new"]}
    if edit.kind == "merge_classes":
        return {name: edit.body["into"] for name in edit.body["names"] if name != edit.body["into"]}
    return {}


def new_class(edits: Edits, name: str) -> dict[str, Any]:
    """The body of an edit that adds a class; raises `InputError` for a name that a class has."""
    return {"name": _fresh(edits, name)}


def renaming(edits: Edits, old: str, new: str) -> dict[str, Any]:
    """The body of an edit that renames a class; raises `UnknownName` or `InputError`."""
    return {"old": _there(edits, old), "new": _fresh(edits, new)}


def merging(edits: Edits, names: Sequence[str], into: str) -> dict[str, Any]:
    """The body of an edit that makes one class of several; raises `UnknownName` or `InputError`.

    into  a class, which keeps its place, or a new name, whose class comes last
    """
    if isinstance(names, str):
        raise InputError(f"merge_classes takes a list of classes, got the text {names!r}", got=names)
    listed = [_there(edits, name) for name in dict.fromkeys(names)]
    if not set(listed) - {into}:
        raise InputError(f"there is nothing to merge into {into!r}: name at least one other class", got=names)
    known = into if into in edits.classes else _fresh(edits, into)
    body = {"names": listed, "into": known}
    if len(edits.then("merge_classes", body).classes) < 2:
        raise InputError(f"merging {', '.join(listed)} into {into!r} leaves one class, and two are needed", got=names)
    return body


def checked(task: Task, edits: Edits, value: Any) -> Any:
    """`Task.check`, which says what a class is called now that an annotator has named as it was called before."""
    try:
        return task.check(value)
    except BadLabel:
        for name in value if isinstance(value, list | tuple) else [value]:
            if isinstance(name, str) and name in edits.former:
                now = edits.former[name]
                raise BadLabel(f"class {name!r} is now {now!r}: answer with that name", got=value) from None
        raise


def without(found: Labelled, items: NDArray[np.int64]) -> Labelled:
    """Labels of all but these items."""
    if not len(items):
        return found
    kept = np.flatnonzero(~np.isin(found.items, items))
    values, units = [found.values[row] for row in kept], tuple(found.units[row] for row in kept)
    return Labelled(found.items[kept], values, found.questions[kept], found.basis, units)


def _there(edits: Edits, name: str) -> str:
    if name not in edits.classes:
        raise UnknownName("class", name, edits.classes)
    return name


def _fresh(edits: Edits, name: str) -> str:
    if not edits.original:
        raise InputError("the labels of this project are made of no classes, so that there are none to edit", got=name)
    if not isinstance(name, str) or not name:
        raise InputError(f"a class needs a name, got {name!r}", got=name)
    if name in edits.classes:
        raise InputError(f"there is a class {name!r} already: choose another name, or merge_classes", got=name)
    return name
