"""Tables in files: columns by name, whatever the format."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.keyed import finite
from askwell.errors import BadData, MissingExtra, UnknownName

__all__ = ["ENDINGS", "Table", "frame_table", "read_table"]

Column = Sequence[Any]


@dataclass(frozen=True)
class Table:
    """Columns that are read when they are asked for; `name` says whose they are."""

    name: str
    columns: Sequence[str]
    count: int
    get: Callable[[str], Column]

    def column(self, name: str) -> Column:
        """One column; a missing one raises `UnknownName` with the nearest."""
        if name not in self.columns:
            raise UnknownName(f"column of {self.name}", name, self.columns)
        return self.get(name)

    def strings(self, name: str) -> list[str]:
        """A column as texts; whole numbers stay whole, a missing value is an empty text."""
        return ["" if value is None or value != value else str(value) for value in _listed(self.column(name))]

    def numbers(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Columns (n, D) as float32; raises `BadData` for what is no number, `NotFinite` for what is missing."""
        rows = np.empty((self.count, len(names)), np.float32)
        for place, name in enumerate(names):
            rows[:, place] = self._numeric(name)
            finite(rows[:, place], f"column {name!r} of {self.name}")
        return rows

    def _numeric(self, name: str) -> NDArray[np.float64]:
        values = self.column(name)
        try:
            return np.array([_number(value) for value in _listed(values)], np.float64)
        except (TypeError, ValueError):
            row, value = next((row, value) for row, value in enumerate(_listed(values)) if not _is_number(value))
            raise BadData(
                f"column {name!r} of {self.name} holds {value!r} in row {row}, which is no number: name the columns to "
                f"use with columns=, ids with key=, or a text with text=",
                got=value,
            ) from None


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """Opens .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet; raises `BadData` for one that is empty or cannot be read."""
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise BadData(f"{path} is no table: use a file that ends in {', '.join(ENDINGS)}", got=path)
    if not path.stat().st_size:
        raise BadData(f"{path} is empty", got=path)
    table = ENDINGS[ending](path, encoding)
    if not table.count:
        raise BadData(f"{path} has no rows", got=path)
    if len(set(table.columns)) < len(table.columns):
        raise BadData(f"{path} has two columns of one name: {', '.join(table.columns)}", got=path)
    return table


def frame_table(frame: Any, name: str = "the frame") -> Table:
    """A pandas DataFrame as a table."""
    columns = [str(column) for column in frame.columns]
    return Table(name, columns, len(frame), lambda column: frame.iloc[:, columns.index(column)].tolist())


def _csv(path: Path, encoding: str) -> Table:
    with _text(path, encoding) as file, _long_fields():
        rows = [row for row in csv.reader(file, strict=True) if row]
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    for number, row in enumerate(body):
        if len(row) != len(header):
            raise BadData(f"{path}: row {number} has {len(row)} values for {len(header)} columns", got=row)
    columns = dict(zip(header, zip(*body, strict=True), strict=False))
    return Table(path.name, header, len(body), columns.__getitem__)


def _jsonl(path: Path, encoding: str) -> Table:
    rows: list[Mapping[str, Any]] = []
    with _text(path, encoding) as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                rows.append(_object(text, f"{path}: line {line}"))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return Table(path.name, columns, len(rows), lambda name: [row.get(name) for row in rows])


def _parquet(path: Path, encoding: str) -> Table:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    try:
        file = parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as Parquet: {error}", got=path) from error
    names = list(file.schema_arrow.names)
    return Table(
        path.name,
        names,
        file.metadata.num_rows,
        lambda name: parquet.read_table(path, columns=[name]).column(0).to_pylist(),
    )


ENDINGS: Mapping[str, Callable[[Path, str], Table]] = {
    ".csv": _csv, ".csv.gz": _csv, ".jsonl": _jsonl, ".jsonl.gz": _jsonl, ".parquet": _parquet,
}  # fmt: skip


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """An open text file, packed or not; what cannot be read becomes one sentence."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path} is not {encoding} text (byte {error.object[error.start]:#04x}): "
            "give its encoding, such as encoding='latin-1'",
            got=encoding,
        ) from None
    except LookupError:
        raise BadData(
            f"there is no encoding {encoding!r}: use utf-8, latin-1, cp1252, utf-16 …", got=encoding
        ) from None
    except (gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise BadData(f"{path} cannot be read: {error}", got=path) from error


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lets a field be as long as a text may be; the reader's own limit is 128 KiB."""
    before = csv.field_size_limit(1 << 30)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadData(f"{where} is not a JSON object: {text.strip()[:60]!r}", got=text)
    return found


def _listed(column: Column) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _number(value: Any) -> float:
    return np.nan if value is None or value == "" else float(value)


def _is_number(value: Any) -> bool:
    try:
        _number(value)
    except (TypeError, ValueError):
        return False
    return True
