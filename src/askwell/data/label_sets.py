"""Several labels per item, as people write them, to rows of 0 and 1."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.folder import natural
from askwell.data.labels import UNKNOWN, check_classes, class_index, listed, missing
from askwell.errors import BadLabel, BadShape

__all__ = ["encode_sets"]

Codes = NDArray[np.int8]
SEPARATORS = ("|", ";")


def encode_sets(labels: Iterable[Any], classes: Sequence[str] | None = None) -> tuple[Codes, tuple[str, ...]]:
    """Rows (n, C) int8 of 0 and 1 and the classes; a row of -1 where the labels of an item are unknown.

    Per item: a list of names, or of indices where `classes` are given; a text "a|b", "a;b" or a JSON list; one name.
    Or a matrix (n, C) of 0 and 1, whose classes are "0" to "C-1" unless given; lists of equal length that hold nothing
    but 0 and 1 are its rows. None, "", NaN, -1 and a row of NaN or -1 mean unknown; [] and "[]" mean no label.
    Raises `BadLabel`, `BadShape`, and `BadData` when there are fewer than two classes.

    >>> codes, classes = encode_sets(["rain|wind", "", "[]", "rain"])
    >>> codes.tolist(), classes
    ([[1, 1], [-1, -1], [0, 0], [1, 0]], ('rain', 'wind'))
    """
    values = listed(labels)
    if len(getattr(labels, "shape", ())) == 2 or _binary(values, classes):
        return _matrix(values, classes)
    named = None if classes is None else check_classes(classes)
    sets = [_names(value, place, named) for place, value in enumerate(values)]
    found = sorted({name for names in sets for name in names or ()}, key=natural)
    known = check_classes(found) if named is None else named
    index = class_index(found, known)
    codes = np.zeros((len(sets), len(known)), np.int8)
    for row, names in zip(codes, sets, strict=True):
        row[slice(None) if names is None else [index[name] for name in names]] = UNKNOWN if names is None else 1
    return codes, known


def _binary(values: Sequence[Any], classes: Sequence[str] | None) -> bool:
    """Whether lists of lists are the rows of a matrix."""
    rows = [value for value in values if isinstance(value, list | tuple)]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or any(not missing(value) for value in values if not isinstance(value, list | tuple)):
        return False
    width = widths.pop()
    fits = width > 1 if classes is None else width == len(classes)
    return fits and all(_is_bit(cell) for row in rows for cell in row)


def _is_bit(cell: Any) -> bool:
    """Whether this is 0, 1, or unknown."""
    return isinstance(cell, int | float) and (cell != cell or cell in (0, 1, UNKNOWN))


def _matrix(values: Sequence[Any], classes: Sequence[str] | None) -> tuple[Codes, tuple[str, ...]]:
    width = next((len(row) for row in values if not missing(row)), 0)
    names = check_classes([str(place) for place in range(width)] if classes is None else classes)
    if width != len(names):
        raise BadShape(f"labels have shape ({len(values)}, {width}), and there are {len(names)} classes", got=width)
    codes = np.full((len(values), width), UNKNOWN, np.int8)
    for place, row in enumerate(values):
        if not missing(row) and not all(missing(cell) or cell == UNKNOWN for cell in row):
            codes[place] = _bits(row, place)
    return codes, names


def _bits(row: Sequence[Any], place: int) -> list[int]:
    bits = [int(cell) for cell in row if cell in (0, 1)]
    if len(bits) < len(row):
        raise BadLabel(f"the labels of item {place} are {list(row)}: a row holds 0 and 1, or -1 throughout", got=row)
    return bits


def _names(value: Any, place: int, classes: Sequence[str] | None) -> list[str] | None:
    """The labels of one item as class names; None where they are unknown."""
    if missing(value) or value == UNKNOWN:
        return None
    parts = _parts(value, classes) if isinstance(value, str) else value
    names = [_name(part, place) for part in (parts if isinstance(parts, list | tuple | set | frozenset) else [parts])]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadLabel(f"the labels of item {place} name {twice!r} twice", got=value)
    return names


def _parts(text: str, classes: Sequence[str] | None) -> list[Any]:
    """The labels in a text: a JSON list, pieces between "|" or ";", or the text itself where it is a class."""
    if classes is not None and text in classes:
        return [text]
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            raise BadLabel(f'label {text!r} is not a JSON list: write it as ["a", "b"] or a|b', got=text) from None
        return list(found)
    separator = next((one for one in SEPARATORS if one in text), SEPARATORS[0])
    return [piece.strip() for piece in text.split(separator) if piece.strip()]


def _name(part: Any, place: int) -> str:
    if isinstance(part, float) and part.is_integer():
        part = int(part)
    if isinstance(part, int | str) and part != "":
        return str(part)
    raise BadLabel(f"label {part!r} of item {place} is neither a name nor a whole number", got=part)
