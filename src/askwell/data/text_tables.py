"""Tables in text files: .csv, .tsv and .jsonl, packed or not, in any encoding."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from askwell.data.table import Table
from askwell.errors import BadData

__all__ = ["read_csv", "read_jsonl"]

HEAD = 1 << 20
DELIMITERS = ",;\t"


def read_csv(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
    """Columns by the names in the first row; where ";" stands between the cells, numbers may have a decimal comma.

    delimiter  "," unless given; ";" or a tab where the first row has one of those alone
    """
    with _text(path, encoding) as file, _long_fields():
        first = file.readline()
        between = delimiter or _delimiter(first)
        lines = enumerate(csv.reader(chain([first], file), delimiter=between, strict=True), start=1)
        rows = {number: row for number, row in lines if row}
    header = rows.pop(next(iter(rows))) if rows else []
    for number, row in rows.items():
        if len(row) != len(header):
            raise BadData(f"{path}: row {number} has {len(row)} values for {len(header)} columns", got=row)
    columns = dict(zip(header, zip(*rows.values(), strict=True), strict=False))
    return Table(path.name, header, len(rows), columns.__getitem__, comma=between == ";", rows=list(rows))


def _delimiter(line: str) -> str:
    """What stands between the cells of a first row.

    >>> _delimiter("id;price"), _delimiter("id,title; year")
    (';', ',')
    """
    cells = {one: next(csv.reader([line], delimiter=one), []) for one in DELIMITERS}
    return next((one for one, found in cells.items() if len(found) > 1), DELIMITERS[0])


def read_jsonl(path: Path, encoding: str = "utf-8") -> Table:
    """One JSON object per line; a column that a line does not have is missing there."""
    rows: dict[int, Mapping[str, Any]] = {}
    with _text(path, encoding) as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                rows[line] = _object(text, f"{path}: line {line}")
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    return Table(path.name, columns, len(rows), lambda name: [row.get(name) for row in rows.values()], rows=list(rows))


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """An open text file, packed or not; what cannot be read becomes one sentence."""
    try:
        named = codecs.lookup(encoding).name
        with _opener(path)(path, "rt", encoding="utf-8-sig" if named == "utf-8" else named, newline="") as file:
            yield file
    except UnicodeError as error:
        raise BadData(
            f"{path} is not {encoding} text{_byte(error)}: give its encoding, such as "
            f"encoding={_likely(path, encoding)!r}",
            got=encoding,
        ) from None
    except LookupError:
        raise BadData(
            f"there is no encoding {encoding!r}: use utf-8, latin-1, cp1252, utf-16 …", got=encoding
        ) from None
    except (gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise BadData(f"{path} cannot be read: {error}", got=path) from error


def _opener(path: Path) -> Any:
    return gzip.open if path.name.lower().endswith(".gz") else open


def _byte(error: UnicodeError) -> str:
    return f" (byte {error.object[error.start]:#04x})" if isinstance(error, UnicodeDecodeError) else ""


def _likely(path: Path, refuted: str) -> str:
    """An encoding that the first bytes do not contradict."""
    with _opener(path)(path, "rb") as file:
        head = file.read(HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1"
    return "latin-1" if codecs.lookup(refuted).name == "utf-8" else "utf-8"


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
