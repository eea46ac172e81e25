"""Labels in a table of their own, beside the items: one row per labelled item, joined by the items' keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.keys import Keys, Named
from askwell.data.table import Table
from askwell.data.table_files import read_table
from askwell.errors import BadData, UnknownName

__all__ = ["LABELS", "labels_of", "read_label_table"]

KEYS = ("key", "id", "file", "path", "name")
LABELS = ("label", "labels", "class", "target")

Labels = tuple[Iterable[Any], tuple[str, ...] | None]
"""Labels as they stand, and classes where the table says them."""


def read_label_table(
    path: Path,
    items: Keys,
    label: str | Sequence[str] | None,
    key: str | None,
    strict: bool = True,
    encoding: str = "utf-8",
) -> Labels:
    """The label of each item by its key; None, or a row of NaN, for an item without a row.

    key    the column of keys; "key", "id", "file", "path" or "name" where there is one, else the first column
    strict  whether there must be the column `key`: it may have been meant for the items alone
    label  the column of labels, or several of 0 and 1; "label", "class", … or the one column beside the keys
    Raises `UnknownName` for a column or a key that there is not, and `BadData` for a key that occurs twice.
    """
    table = read_table(path, encoding)
    if key is None or not (strict or key in table.columns):
        key = next((name for name in KEYS if name in table.columns), table.columns[0])
    rows = _rows(table, key, items)
    found, classes = labels_of(table, label or _only(table, key))
    if isinstance(found, np.ndarray) and found.ndim == 2:
        spread = np.full((len(items), found.shape[1]), np.nan)
        spread[rows] = found
        return spread, classes
    values: list[Any] = [None] * len(items)
    for row, value in zip(rows.tolist(), found, strict=True):
        values[row] = value
    return values, classes


def labels_of(table: Table, label: str | Sequence[str]) -> Labels:
    """One column as it stands, or several columns of 0 and 1 as a matrix (n, C) whose classes they name."""
    if isinstance(label, str):
        return table.values(label), None
    return table.flags(label), tuple(label)


def _rows(table: Table, key: str, items: Keys) -> NDArray[np.int64]:
    """Positions of the items of each row."""
    names = Named(table.strings(key), f"column {key!r} of {table.name}")
    try:
        return items.positions(names.ids)
    except UnknownName as error:
        raise UnknownName(f"item in column {key!r} of {table.name}", str(error.got), error.known) from None


def _only(table: Table, key: str) -> str:
    """The column of labels where none is named."""
    others = [name for name in table.columns if name != key]
    found = next((name for name in LABELS if name in table.columns), None) or (others[0] if len(others) == 1 else None)
    if found is None:
        raise BadData(
            f"{table.name} has the columns {', '.join(table.columns)}: name the one of the labels with label=",
            got=list(table.columns),
        )
    return found
