"""Flat records in files: JSONL, CSV and Parquet, equal bytes for equal records."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from askwell.errors import MissingExtra
from askwell.store.packing import canonical

__all__ = ["COLUMNS", "FORMATS", "Format", "Record"]

Record = dict[str, Any]

COLUMNS: dict[str, type] = {
    "record": str, "id": int, "at": float, "round": int, "rank": int, "item": int, "key": str, "parent": int, "n": int,
    "kind": str, "source": str, "role": str, "how": str, "unit": str, "form": str, "answers": int, "asked_of": str,
    "score": float, "shown": str, "verb": str, "question": int, "annotator": str, "value": str, "cost": float,
    "seconds": float, "refers": int, "token": str, "seen": int, "basis": int, "weights": str, "facts": str,
    "digest": str, "body": str,
}  # fmt: skip
"""Columns and their types, in the order in which files have them."""
JSON = frozenset({"shown", "value", "facts", "body"})


class Format(NamedTuple):
    """How records are written and read; None and a missing column are the same."""

    write: Callable[[Path, Sequence[Record]], None]
    read: Callable[[Path], Iterable[Record]]


def _write_jsonl(path: Path, records: Sequence[Record]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            row = {name: record[name] for name in COLUMNS if record.get(name) is not None}
            plain = {name: json.loads(value) if name in JSON else value for name, value in row.items()}
            file.write(json.dumps(plain, ensure_ascii=False) + "\n")


def _read_jsonl(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield {name: canonical(value) if name in JSON else value for name, value in json.loads(line).items()}


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def _read_csv(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield {name: COLUMNS[name](text) for name, text in row.items() if text}


def _write_parquet(path: Path, records: Sequence[Record]) -> None:
    pa, pq = _arrow()
    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist(list(records), schema=schema), path)


def _read_parquet(path: Path) -> Iterator[Record]:
    _, pq = _arrow()
    for row in pq.read_table(path).to_pylist():
        yield {name: value for name, value in row.items() if value is not None}


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    return pyarrow, parquet


FORMATS: dict[str, Format] = {
    "jsonl": Format(_write_jsonl, _read_jsonl),
    "csv": Format(_write_csv, _read_csv),
    "parquet": Format(_write_parquet, _read_parquet),
}
