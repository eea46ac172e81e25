"""Readers of tables, folders of pictures, arrays and texts: what they find, and which options each takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from askwell.core.pool import Pool
from askwell.data.arrays import ArrayPool
from askwell.data.arrow import in_memory
from askwell.data.files import PARTS
from askwell.data.folder import ImageFolderPool, listed
from askwell.data.keys import Keys, Named
from askwell.data.label_table import LABELS, labels_of
from askwell.data.pictures import broken
from askwell.data.read import Found
from askwell.data.split import CANDIDATE
from askwell.data.table import Table, frame_table
from askwell.data.table_files import read_table
from askwell.data.tables import TablePool
from askwell.data.texts import TextPool
from askwell.errors import BadData

__all__ = [
    "first", "found_in_table", "read_array", "read_arrow_file", "read_folder", "read_frame", "read_table_file",
    "read_texts",
]  # fmt: skip

TEXTS = ("text", "sentence")


def read_table_file(
    path: Path,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    length: int = 64,
) -> Found:
    """A .csv, .tsv or .jsonl file, each also .gz."""
    table = read_table(path, encoding)
    return found_in_table(table, path.name.split(".")[0], text, label, key, columns, length)


def read_arrow_file(
    path: Path,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    length: int = 64,
) -> Found:
    """A .parquet, .arrow or .feather file, which says its encoding itself; nothing but ids and labels is held."""
    return found_in_table(read_table(path), path.name.split(".")[0], text, label, key, columns, length)


def read_frame(
    frame: Any,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    length: int = 64,
) -> Found:
    """A pandas DataFrame, or a pyarrow Table."""
    table = frame_table(frame) if hasattr(frame, "iloc") else in_memory(frame)
    return found_in_table(table, "frame", text, label, key, columns, length)


def found_in_table(
    table: Table,
    name: str,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    length: int = 64,
) -> Found:
    """Texts where there is a column of texts, else numbers.

    text     its column; "text" or "sentence" unless given or unless `columns` are
    label    its column, or several of 0 and 1; "label", "labels", "class" or "target" where there is one
    columns  the numbers to use; all columns but label and key unless given. One column of lists of numbers is vectors
    """
    text = text or (first(table, TEXTS) if columns is None else None)
    label = label or first(table, LABELS)
    labels, classes = (None, None) if label is None else labels_of(table, label)
    ids = None if key is None else Named(table.strings(key), f"column {key!r} of {table.name}")
    if text is not None:
        table.check(text)
        make: Callable[..., Pool] = partial(text_pool, table, text, ids, length)
    else:
        make = partial(number_pool, table, _numeric(table, label, key, columns), ids)
    return Found(name, table.count, make, labels, classes, keys=ids)


def text_pool(
    table: Table, column: str, ids: Keys | None, length: int, *, cache: Path | None, **given: Any
) -> TextPool:
    """The texts of one column."""
    return TextPool(table.texts(column, cache), ids, length=length, cache=cache, **given)


def number_pool(
    table: Table, columns: Sequence[str], ids: Keys | None, *, cache: Path | None, **given: Any
) -> ArrayPool:
    """The numbers of these columns, or the vectors of the one."""
    vectors = table.vectors(columns[0], cache) if len(columns) == 1 else None
    if vectors is not None:
        return ArrayPool(vectors, ids, cache=cache, **given)
    return TablePool(table.numbers(columns, cache), columns, ids, cache=cache, **given)


def first(table: Table, names: Sequence[str]) -> str | None:
    """The first of these columns that there is."""
    return next((name for name in names if name in table.columns), None)


def _numeric(
    table: Table, label: str | Sequence[str] | None, key: str | None, columns: Sequence[str] | None
) -> list[str]:
    """The columns to use as numbers."""
    others = {key, *([label] if isinstance(label, str) else label or ())}
    used = [one for one in table.columns if one not in others] if columns is None else list(columns)
    if not used:
        raise BadData(f"{table.name} has no column of texts or numbers: it has {', '.join(table.columns)}")
    table.check(*used)
    return used


def read_folder(
    path: Path, *, size: int | tuple[int, int] | None = None, corrupt: Literal["refuse", "skip"] = "refuse"
) -> Found:
    """Pictures: one sub-folder per class, or none; above those, folders `train`, `test`, `val` where they are.

    corrupt  "skip" decodes every picture now and leaves out those that cannot be read
    """
    names = listed(path) if corrupt == "refuse" else _sound(path, listed(path))
    tops = {name.split("/")[0] for name in names if "/" in name}
    split = "train" in tops and tops <= set(PARTS)
    parts = np.array([PARTS.get(name.split("/")[0], CANDIDATE) for name in names], np.int8) if split else None
    labels = [_folder(name, depth=int(split)) for name in names]
    make = partial(ImageFolderPool, path, names, size=size)
    return Found(path.name, len(names), make, labels if any(labels) else None, parts=parts, guessed=True, keys=names)


def read_array(given: ArrayLike, *, key: Sequence[str] | None = None, length: int = 64) -> Found:
    """An array or tensor of numbers, or an array of texts."""
    array = np.asarray(given)
    if array.dtype.kind in "UTO":
        return read_texts(array.tolist(), key=key, length=length)
    return Found("arrays", len(array), partial(ArrayPool, array, key), keys=key)


def read_texts(texts: Sequence[Any], *, key: Sequence[str] | None = None, length: int = 64) -> Found:
    """A list of texts."""
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadData(f"item {place} is a {type(text).__name__}: give numbers in an array, or texts", got=text)
    return Found("texts", len(texts), partial(TextPool, texts, key, length=length), keys=key)


def _sound(path: Path, names: Sequence[str]) -> list[str]:
    """The pictures that can be read."""
    bad = set(broken([path / name for name in names], names))
    if len(bad) == len(names):
        raise BadData(f"folder {path} holds no picture that can be read", got=path)
    return [name for place, name in enumerate(names) if place not in bad]


def _folder(name: str, depth: int) -> str:
    """The folder that a picture lies in at this depth; "" when there is none."""
    pieces = name.split("/")
    return pieces[depth] if len(pieces) > depth + 1 else ""
