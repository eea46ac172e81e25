"""Questions and answers as a table that people fill in: .csv, .tsv or .jsonl.

Spreadsheet programs open a .csv or .tsv file as it is: UTF-8 with a byte order mark, all texts in quotes. A text that
they would take for a formula (=, +, -, @) stands behind an apostrophe, which `read_sheet` takes away.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askwell.data.table import Table
from askwell.data.text_tables import read_csv, read_jsonl
from askwell.engine.folder import Folder
from askwell.errors import BadData, UnknownName

__all__ = ["COLUMNS", "Line", "check_ending", "read_sheet", "write_sheet"]

COLUMNS = ("question", "id", "item", "choices", "score", "label", "note")
"""Columns of a sheet of questions; people fill in `label`, and `note` for themselves."""
DELIMITERS = {".csv": ",", ".tsv": "\t"}
FORMULA = re.compile(r"'*[=+\-@\t\r]")
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
BETWEEN = " | "


@dataclass(frozen=True)
class Line:
    """One row of a sheet. What is empty is "".

    row    its number in a spreadsheet, where the headings are row 1; of a .jsonl file its line
    comma  whether numbers are written with a decimal comma, as where ";" stands between the cells
    """

    row: int
    question: Any
    id: Any
    label: Any
    comma: bool = False

    @property
    def answered(self) -> bool:
        """Whether there is a label."""
        return not (isinstance(self.label, str) and self.label == "")


def check_ending(path: Path) -> None:
    """Raises `UnknownName` unless the file's ending says how a sheet is written."""
    if path.suffix.lower() not in (*DELIMITERS, ".jsonl"):
        raise UnknownName("ending of a sheet", path.suffix or path.name, [*DELIMITERS, ".jsonl"])


def write_sheet(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Writes rows with some of `COLUMNS`, whole or not at all, and returns the path; raises `NotWritable`."""
    check_ending(path)
    delimiter = DELIMITERS.get(path.suffix.lower())
    text = _lines(rows) if delimiter is None else "\ufeff" + _cells(rows, delimiter)
    Folder(path.parent).write(path.name, text)
    return path


def read_sheet(path: Path, encoding: str | None = None) -> list[Line]:
    """The rows of a sheet, whatever its delimiter: ",", ";" or a tab.

    encoding  of a file that is neither UTF-8 nor marked as UTF-16, such as "cp1252"

    Raises `UnknownName` for a sheet that lacks `label`, or both `question` and `id`, and `BadData` for a file that is
    none.
    """
    check_ending(path)
    if not path.is_file():
        raise BadData(f"there is no file {path}", got=str(path))
    if not path.stat().st_size:
        raise BadData(f"{path} is empty", got=str(path))
    if path.suffix.lower() == ".jsonl":
        return _read(read_jsonl(path, encoding or "utf-8"), path, _given)
    head = path.read_bytes()[: 1 << 16]
    encoding = encoding or next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
    return _read(read_csv(path, encoding, _delimiter(head)), path, _shown)


def _read(table: Table, path: Path, clean: Callable[[Any], Any]) -> list[Line]:
    """The rows of a table in which there is anything."""
    if not table.count:
        raise BadData(f"{path} has no rows", got=str(path))
    named = {name.strip().casefold(): name for name in table.columns}
    _check_columns(path, list(named))
    columns = [
        table.column(named[name]) if name in named else [""] * table.count for name in ("question", "id", "label")
    ]
    cells = zip(table.rows, *(map(clean, column) for column in columns), strict=True)
    lines = [Line(row, question, key, label, table.comma) for row, question, key, label in cells]
    return [line for line in lines if line.answered or line.question != "" or line.id != ""]


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    """Refuses a sheet that does not say what is answered, or about what."""
    if "label" not in columns:
        raise UnknownName(f"column of {path.name}:", "label", columns)
    if not {"question", "id"} & set(columns):
        raise UnknownName(f"column of {path.name}:", "question", columns)


def _delimiter(head: bytes) -> str:
    """The one that finds most of a sheet's columns in the first line, in any encoding.

    >>> _delimiter(b"question;id;label")
    ';'
    """
    first = re.sub(rb"[^a-z,;\t\n]", b"", head.lower()).partition(b"\n")[0].decode()
    return max(",;\t", key=lambda one: len(set(first.split(one)) & set(COLUMNS)))


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    empty = dict.fromkeys(COLUMNS)
    return "".join(json.dumps({**empty, **row}, ensure_ascii=False) + "\n" for row in rows)


def _cells(rows: Sequence[Mapping[str, Any]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(name)) for name in COLUMNS] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A value in a cell: numbers as they are, lists as one text, and no text that would be run as a formula."""
    if value is None or isinstance(value, int | float):
        return value
    text = BETWEEN.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if FORMULA.match(text) else text


def _shown(cell: str) -> str:
    """The text that `_cell` wrote, without spaces around it."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def _given(value: Any) -> Any:
    """A value of a .jsonl file."""
    return "" if value is None else value.strip() if isinstance(value, str) else value
