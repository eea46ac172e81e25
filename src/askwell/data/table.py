"""Tables: columns by name, whatever the format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.keyed import finite
from askwell.data.labels import listed, missing
from askwell.errors import BadData, UnknownName

__all__ = ["Table", "as_numbers", "check_columns", "frame_table"]

Column = Sequence[Any] | NDArray[Any]
DECIMAL = re.compile(r"^(\s*[-+]?\d*),(\d+(?:[eE][-+]?\d+)?\s*)$")
FLAGS: Mapping[str, float] = {"true": 1.0, "false": 0.0}
ITEMS = "name the columns to use with columns=, ids with key=, or a text with text="


@dataclass(frozen=True)
class Table:
    """Columns that are read when they are asked for; `name` says whose they are.

    comma  whether numbers are written with a decimal comma
    rows   the number of each row for messages: in a text file as a spreadsheet counts, else from 0
    """

    name: str
    columns: Sequence[str]
    count: int
    get: Callable[[str], Column]
    comma: bool = field(default=False, kw_only=True)
    rows: Sequence[int] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", self.rows or range(self.count))

    def column(self, name: str) -> Column:
        """One column; a missing one raises `UnknownName` with the nearest."""
        self.check(name)
        return self.get(name)

    def values(self, name: str) -> Column:
        """One column, where a number with a decimal comma is written with a point."""
        found = self.column(name)
        return [DECIMAL.sub(r"\1.\2", value) for value in found] if self.comma else found

    def check(self, *names: str) -> None:
        """Raises `UnknownName` for a column that there is not."""
        for name in names:
            if name not in self.columns:
                raise UnknownName(f"column of {self.name}", name, self.columns)

    def strings(self, name: str) -> list[str]:
        """A column as texts; whole numbers stay whole, a missing value is an empty text."""
        return ["" if missing(value) else str(value) for value in listed(self.column(name))]

    def texts(self, name: str, cache: Path | None = None) -> Sequence[str]:
        """A column of texts to make items of, as `strings`; of large files it stays in the `cache` folder."""
        return self.strings(name)

    def numbers(self, names: Sequence[str], cache: Path | None = None) -> NDArray[np.float32]:
        """Columns (n, D) as float32; of large files they lie in the `cache` folder.

        Raises `BadData` for what is no number, `NotFinite` for what is missing.
        """
        rows = np.empty((self.count, len(names)), np.float32)
        for place, name in enumerate(names):
            rows[:, place] = as_numbers(self.values(name), self.called(name), ITEMS, self.rows)
            finite(rows[:, place], self.called(name))
        return rows

    def vectors(self, name: str, cache: Path | None = None) -> NDArray[np.float32] | None:
        """A column of lists of numbers as rows (n, D); None for any other column."""
        return None

    def flags(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Columns (n, C) of 0, 1, true or false as numbers, NaN where a value is missing."""
        hint = "a column of labels holds 0 and 1"
        columns = ((_flags(self.column(name)), self.called(name)) for name in names)
        return np.stack([as_numbers(values, called, hint, self.rows) for values, called in columns], 1)

    def called(self, name: str) -> str:
        """A column, as messages name it."""
        return f"column {name!r} of {self.name}"


def frame_table(frame: Any, name: str = "the frame") -> Table:
    """A pandas DataFrame as a table; columns of any type, nullable and categorical ones too."""
    columns = [str(column) for column in frame.columns]
    check_columns(name, columns)

    def get(column: str) -> Column:
        series = frame.iloc[:, columns.index(column)]
        plain = isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf"
        found: Column = series.to_numpy() if plain else series.tolist()
        return found

    return Table(name, columns, len(frame), get)


def check_columns(name: str, columns: Sequence[str]) -> None:
    """Raises `BadData` where two columns have one name."""
    if len(set(columns)) < len(columns):
        raise BadData(f"{name} has two columns of one name: {', '.join(columns)}", got=list(columns))


def as_numbers(values: Column, what: str, hint: str, rows: Sequence[int]) -> NDArray[np.float64]:
    """Values as float64, NaN where one is missing; raises `BadData` with the number that the row has in `rows`."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return values.astype(np.float64)
    found = np.empty(len(values))
    for place, value in enumerate(listed(values)):
        try:
            found[place] = np.nan if missing(value) else float(value)
        except (TypeError, ValueError):
            raise BadData(
                f"{what} holds {value!r} in row {rows[place]}, which is no number: {hint}", got=value
            ) from None
    return found


def _flags(values: Column) -> list[Any]:
    return [FLAGS.get(value.strip().lower(), value) if isinstance(value, str) else value for value in listed(values)]
