"""The whole record as one flat table: JSONL, CSV or Parquet. Export and import are inverse to each other.

Each row is one record of the kind named in its first column; what a kind does not have is empty. The columns `shown`,
`value`, `facts` and `body` are JSON. Beside each position in the pool stands the user's own id (`key`).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from askwell.errors import BadData, Conflict, NotWritable, UnknownName
from askwell.store import queue
from askwell.store.formats import COLUMNS, FORMATS, Format, Record
from askwell.store.items import size
from askwell.store.packing import canonical
from askwell.store.store import Store

__all__ = ["export", "restore"]

Keys = Callable[[Sequence[int]], Sequence[str]]

SELECT = {
    "segment": "start AS item, n, kind, source, digest FROM segment ORDER BY start",
    "reserved": "role, items AS body FROM reserved ORDER BY role",
    "annotator": "id, name AS annotator, kind, since AS seen FROM annotator ORDER BY id",
    "round": "n AS round, at, seen, basis, state AS body, weights, facts, digest FROM round ORDER BY n",
    "made": "item, parent, round, role, how, payload AS body FROM made ORDER BY item",
    "question": """question.id, round, rank, item, unit, form, answers, name AS asked_of, score, shown
        FROM question LEFT JOIN annotator ON annotator.id = asked_of ORDER BY question.id""",
    "event": """seq AS id, at, verb, question, item, name AS annotator, value, cost, seconds, refers, token
        FROM event JOIN annotator ON annotator.id = event.annotator ORDER BY seq""",
    "report": "id, round, at, body FROM report ORDER BY id",
    "edit": "id, at, seen, kind, body FROM edit ORDER BY id",
}
INSERT = {
    "segment": "segment VALUES (:item, :n, :kind, :source, :digest)",
    "reserved": "reserved VALUES (:role, :body)",
    "annotator": "annotator VALUES (:id, :annotator, :kind, :seen)",
    "round": "round VALUES (:round, :at, :seen, :basis, :body, :weights, :facts, :digest)",
    "made": "made VALUES (:item, :parent, :round, :role, :how, :body)",
    "question": """question VALUES (:id, :round, :rank, :item, :unit, :form, :answers,
        (SELECT id FROM annotator WHERE name = :asked_of), :score, :shown)""",
    "event": """event VALUES (:id, :at, :verb, :question, :item,
        (SELECT id FROM annotator WHERE name = :annotator), :value, :cost, :seconds, :refers, :token)""",
    "report": "report VALUES (:id, :round, :at, :body)",
    "edit": "edit VALUES (:id, :at, :seen, :kind, :body)",
}
EMPTY: Record = {**dict.fromkeys(COLUMNS), **dict.fromkeys(("kind", "source", "how", "unit", "form", "weights"), "")}


def export(store: Store, path: str | Path, format: str | None = None, *, keys: Keys | None = None) -> Path:
    """Writes the whole record to one file, whole or not at all, and returns its path. O(log).

    format  "jsonl", "csv" or "parquet" (needs pyarrow); by the file's ending unless given
    keys    the user's own ids of positions, such as `Pool.keys`
    """
    path = Path(path)
    form = _format(path, format)
    with store.connections.read() as connection:
        records = [record for kind in SELECT for record in _keyed(list(_selected(connection, kind)), keys)]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        form.write(draft, records)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise NotWritable(f"cannot write {path}: {error.strerror or error}") from error
    return path


def restore(store: Store, path: str | Path, format: str | None = None, *, keys: Keys | None = None) -> int:
    """Reads what `export` wrote into a store that has the same items and no record yet; returns the rows read.

    All or nothing. A file that is no export, or whose items or ids (`keys`) differ from the store's, is `BadData`.
    """
    path = Path(path)
    records = _read(path, format)
    with store.connections.write() as connection:
        _check_fresh(connection, path)
        _check_keys(path, [row for row in records.get("question", []) if row["item"] < size(connection)], keys)
        records["segment"] = _new_segments(connection, path, records.get("segment", []))
        records["reserved"] = _new_reserved(connection, path, records.get("reserved", []))
        try:
            for kind, statement in INSERT.items():
                connection.executemany(f"INSERT INTO {statement}", records.get(kind, []))
        except sqlite3.IntegrityError as error:
            raise BadData(f"{path} is damaged: its rows of kind {kind!r} do not fit together ({error})") from None
        queue.rebuild(connection)
    return sum(len(rows) for rows in records.values())


def _format(path: Path, format: str | None) -> Format:
    name = format or path.suffix.lstrip(".")
    if name not in FORMATS:
        raise UnknownName("format", name, FORMATS)
    return FORMATS[name]


def _selected(connection: sqlite3.Connection, kind: str) -> Iterator[Record]:
    cursor = connection.execute(f"SELECT {SELECT[kind]}")
    names = [column[0] for column in cursor.description]
    for row in cursor:
        record = {"record": kind, **dict(zip(names, row, strict=True))}
        if kind == "reserved":
            record["body"] = canonical(np.frombuffer(record["body"], np.int64).tolist())
        yield record


def _keyed(records: list[Record], keys: Keys | None) -> list[Record]:
    if keys and records and records[0]["record"] in ("made", "question", "event"):
        for record, key in zip(records, keys([record["item"] for record in records]), strict=True):
            record["key"] = key
    return records


def _read(path: Path, format: str | None) -> dict[str, list[Record]]:
    form = _format(path, format)
    if not path.is_file():
        raise BadData(f"there is no file {path}")
    try:
        rows = [{**EMPTY, **record} for record in form.read(path)]
        records = {kind: list(group) for kind, group in groupby(rows, key=lambda row: row["record"])}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadData(f"{path} is no export of a label store: {error}") from error
    if not records or records.keys() - SELECT.keys():
        raise BadData(f"{path} is no export of a label store: it has rows of kind {sorted(map(str, records))}")
    return records


def _check_fresh(connection: sqlite3.Connection, path: Path) -> None:
    for table in ("annotator", "round", "event", "report", "edit"):
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            raise Conflict(f"cannot read {path} into a store that has a record already: use a new store")


def _check_keys(path: Path, records: Sequence[Record], keys: Keys | None) -> None:
    if keys is None:
        return
    for record, key in zip(records, keys([record["item"] for record in records]), strict=True):
        if record["key"] not in (None, key):
            raise BadData(
                f"{path} is about other items: item {record['item']} is {record['key']!r} there, {key!r} here"
            )


def _new_segments(connection: sqlite3.Connection, path: Path, records: list[Record]) -> list[Record]:
    own = connection.execute("SELECT start, n, digest FROM segment ORDER BY start").fetchall()
    theirs = [(record["item"], record["n"], record["digest"]) for record in records]
    if theirs[: len(own)] != own:
        raise BadData(f"{path} is about other items: it has (first, number, hash) {theirs}, this store has {own}")
    return records[len(own) :]


def _new_reserved(connection: sqlite3.Connection, path: Path, records: list[Record]) -> list[Record]:
    own = dict(connection.execute("SELECT role, items FROM reserved"))
    theirs = {record["role"]: np.array(json.loads(record["body"]), np.int64).tobytes() for record in records}
    for role in own.keys() & theirs.keys():
        if own[role] != theirs[role]:
            raise BadData(f"{path} is about another split: its {role!r} items differ from those of this store")
    return [{**record, "body": theirs[record["role"]]} for record in records if record["role"] not in own]
