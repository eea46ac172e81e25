"""Older files are brought up to date, newer and foreign ones are refused."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import pytest
from store_scenes import asked, batch, say, told

from askwell.errors import NewerSchema, ProjectError
from askwell.store import open_store
from askwell.store.migrations import APPLICATION, LIST, MIGRATIONS
from askwell.store.schema import APPEND_ONLY


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def old(source: Path, path: Path, version: int) -> Path:
    """What a store holds in a file as an askwell that knew `version` migrations would have left it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(LIST)
    for number, change in enumerate(MIGRATIONS[:version], start=1):
        change(connection)
        connection.execute("INSERT INTO migration VALUES (?, ?, ?)", (number, change.__name__, time.time()))
    connection.execute("ATTACH ? AS source", (str(source),))
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in ("meta", *APPEND_ONLY, "standing", "lease", "done"):
        if table not in there:
            continue
        connection.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table}")
    connection.close()
    return path


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_every_older_schema_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    with asked(tmp_path, [4, 5, 6], who=("ann", "bob"), answers=2) as store:
        store.reserve("test", [9])
        say(store, 1)
        say(store, 1, "bob", "skip")
        say(store, 2)
        path = old(store.path, tmp_path / "old.db", version)
        with open_store(path) as found:
            assert found.states().tolist() == store.states().tolist()
            assert told(found) == told(store)
            assert [row.question for row in found.take(9, "bob")] == [2, 3]
            with pytest.raises(sqlite3.IntegrityError, match="event is append-only"), found.connections.write() as one:
                one.execute("DELETE FROM event")
            found.plan(1, batch([1]), basis=0)
    with open_store(path) as found:
        assert len(found.rounds()) == 2


def test_migrations_are_applied_once_and_recorded(tmp_path: Path) -> None:
    names = [(number, change.__name__) for number, change in enumerate(MIGRATIONS, start=1)]
    for _ in range(2):
        with open_store(tmp_path / "labels.db", create=True) as store, store.connections.read() as one:
            assert one.execute("SELECT number, name FROM migration ORDER BY number").fetchall() == names
    assert [name for _, name in names] == ["m001_evidence", "m002_append_only", "m003_queue", "m004_edits"]


def test_an_older_schema_cannot_be_read_only(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        path = old(store.path, tmp_path / "old.db", 1)
    message = f"{path} was written by an older askwell: open it once with mode='rw' to bring it up to date"
    with pytest.raises(ProjectError, match=exactly(message)):
        open_store(path, mode="ro")


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path, mode: str) -> None:
    with asked(tmp_path, [4]) as store, store.connections.write() as one:
        one.execute("INSERT INTO migration VALUES (99, 'm099_tomorrow', 0.0)")
    path = tmp_path / "labels.db"
    before = path.read_bytes()
    message = f"{path} was written by a newer askwell (it has m099_tomorrow): update askwell to open it"
    with pytest.raises(NewerSchema, match=exactly(message)):
        open_store(path, mode=mode)  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE cake (slice INTEGER)")
    connection.commit()
    connection.close()
    for create in (False, True):
        with pytest.raises(
            ProjectError, match=exactly(f"{path} is a SQLite file of another program and no label store")
        ):
            open_store(path, create=create)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("cake",)]
    connection.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("deed", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid"])
def test_evidence_can_be_neither_changed_nor_deleted(tmp_path: Path, table: str, deed: str) -> None:
    from store_scenes import made

    with asked(tmp_path, [4], made=[made("x")]) as store:
        say(store, 1)
        store.reserve("test", [1])
        store.write_report(0, {})
        store.edit("add_class", {"name": "newt"})
        with pytest.raises(sqlite3.IntegrityError, match=f"^{table} is append-only$"), store.connections.write() as one:
            one.execute(deed.format(table))
