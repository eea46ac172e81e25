"""Labels as people write them, to class indices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.folder import natural
from askwell.errors import BadData, BadLabel, BadShape

__all__ = ["UNKNOWN", "check_classes", "class_index", "encode", "listed", "missing"]

UNKNOWN = -1
SHOWN = 10


def encode(labels: Iterable[Any], classes: Sequence[str] | None = None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class indices (n,) int64 and the classes; None, "", NaN and -1 mean unknown and become -1.

    Without `classes` every label that occurs is one, in natural order. With them a label is a class by name, or, where
    the labels are whole numbers and not names, by index. Raises `BadLabel`, and `BadData` when there is one class only.

    >>> codes, classes = encode(["dog", "cat", None, "dog"])
    >>> codes.tolist(), classes
    ([1, 0, -1, 1], ('cat', 'dog'))
    """
    values = listed(labels)
    _check_single(labels, values)
    named = {value: _name(value) for value in dict.fromkeys(values)}
    found = sorted({name for name in named.values() if name is not None}, key=natural)
    known = tuple(found) if classes is None else check_classes(classes)
    index = class_index(found, known)
    codes = np.array([UNKNOWN if named[value] is None else index[named[value]] for value in values], np.int64)  # type: ignore[index]  # it is named
    if classes is None and found and len(set(index.values())) < 2:
        raise BadData(f"all labels are {found[0]!r}: at least two classes are needed (-1 means unknown)", got=found)
    return codes, known


def listed(labels: Iterable[Any]) -> list[Any]:
    """Labels of any container, tensors and arrays among them turned into numbers and lists.

    >>> listed([np.int64(3), np.array([0, 1]), "a"])
    [3, [0, 1], 'a']
    """
    values = labels.tolist() if hasattr(labels, "tolist") else labels
    return [value.tolist() if hasattr(value, "tolist") else value for value in values]


def missing(value: Any) -> bool:
    """Whether this is None, NaN, the NA or NaT of pandas, or an empty text.

    >>> missing(float("nan")), missing(""), missing([])
    (True, True, False)
    """
    if isinstance(value, float | str):
        return value == "" or value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes as a tuple; raises `BadData` unless there are two or more, each named once."""
    if isinstance(classes, str):
        raise BadData(f"classes must be a list of names, got the text {classes!r}", got=classes)
    names = tuple(str(name) for name in classes)
    if len(names) < 2 or len(set(names)) < len(names):
        raise BadData(f"classes must be two or more different names, got {', '.join(names) or 'none'}", got=classes)
    return names


def class_index(found: Sequence[str], classes: tuple[str, ...]) -> dict[str, int]:
    """Class index of each of these labels: by name, or, where all are whole numbers and no names, by index."""
    places = {name: place for place, name in enumerate(classes)}
    strange = [name for name in found if name not in places]
    if strange and all(name.removeprefix("-").isdigit() for name in found):
        places = {name: int(name) for name in found if 0 <= int(name) < len(classes)}
        strange = [name for name in found if name not in places]
    if strange:
        near = get_close_matches(strange[0], classes, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        shown = ", ".join(classes[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
        raise BadLabel(
            f"label {strange[0]!r} is none of the {len(classes)} classes: {hint}Known: {shown}", got=strange[0]
        )
    return {name: places[name] for name in found}


def _check_single(labels: Any, values: Sequence[Any]) -> None:
    """Refuses several labels per item."""
    shape = getattr(labels, "shape", (len(values),))
    if len(shape) > 1:
        raise BadShape(f"labels have shape {tuple(shape)}: for several labels per item give task='multi_label'")
    for place, value in enumerate(values):
        if isinstance(value, list | tuple | set | frozenset):
            raise BadLabel(
                f"label {value!r} of item {place} is a {type(value).__name__}: for several labels per item give "
                "task='multi_label'",
                got=value,
            )


def _name(label: Any) -> str | None:
    """A label as a class name; None for an unknown one."""
    if missing(label) or label == UNKNOWN:
        return None
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    if isinstance(label, int | str):
        return str(label)
    hint = ": for numbers give task='regression'" if isinstance(label, float) and math.isfinite(label) else ""
    raise BadLabel(f"label {label!r} is neither a name nor a whole number{hint}", got=label)
