"""What goes wrong with files and disks is one sentence, and leaves the record as it was."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from store_scenes import asked, batch, new, say, told

from askwell.core.oracle import Annotation
from askwell.errors import InputError, NotWritable, ProjectError
from askwell.store import connection, open_store

FULL = """
import resource, signal, sys
from askwell.core.oracle import Annotation
from askwell.errors import NotWritable
from askwell.store import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1])
rows = store.take(1000, "ann")
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for row in rows:
    try:
        print(store.tell(Annotation(row.question, "ann", value="x" * 500)), flush=True)
    except NotWritable as error:
        print(error)
        sys.exit(5)
"""
READ_ONLY = """
import os, sys
from askwell.core.oracle import Annotation
from askwell.errors import AskwellError
from askwell.store import open_store
if os.getuid() == 0:
    os.setuid(65534)
for mode in ("ro", "rw"):
    try:
        store = open_store(sys.argv[1], mode=mode)
        print([vote.value for vote in store.votes()])
        store.tell(Annotation(2, "ann", value="dog"))
    except AskwellError as error:
        print(type(error).__name__, error)
"""


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def test_a_store_opened_read_only_reads_everything_and_records_nothing(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        say(store, 1)
        with open_store(store.path, mode="ro") as reader:
            assert told(reader) == told(store)
            assert reader.states().tolist() == store.states().tolist()
            assert (reader.pending(), reader.counts()) == (store.pending(), store.counts())
            message = f"{store.path} was opened read-only: open it with mode='rw' to record anything"
            for deed in (
                lambda: say(reader, 2),
                lambda: reader.take(1, "ann"),
                lambda: reader.plan(1, batch([1]), basis=0),
                lambda: reader.grow(1, "data", "more"),
                lambda: reader.set_meta("a", 1),
                lambda: reader.rebuild(),
            ):
                with pytest.raises(NotWritable, match=exactly(message)):
                    deed()


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs a system with user ids")
def test_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with asked(folder, [4, 5]) as store:
            say(store, 1)
        store.path.chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(store.path)], capture_output=True, text=True, check=True
        )
        folder.chmod(0o755)
    reading, refused, writing = done.stdout.splitlines()
    assert reading == "['cat']"
    assert refused == f"NotWritable {store.path} was opened read-only: open it with mode='rw' to record anything"
    assert re.fullmatch(
        f"NotWritable cannot use {re.escape(str(store.path))}: .* read-only; what was recorded before is safe", writing
    )


@pytest.mark.parametrize("room", [0, 3000, 20_000, 60_000])
def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path, room: int) -> None:
    store = new(tmp_path, n=200)
    store.plan(0, batch(range(200)), basis=0)
    store.take(1000, "ann")
    store.connections.checkpoint()
    store.close()
    limit = store.path.stat().st_size + room
    done = subprocess.run([sys.executable, "-c", FULL, str(store.path), str(limit)], capture_output=True, text=True)
    *acknowledged, message = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (5, "")
    assert re.fullmatch(
        f"cannot use {re.escape(str(store.path))}: the disk is full( or failing)?; what was recorded before is safe",
        message,
    )
    with open_store(store.path) as again:
        assert [event.seq for event in again.history()] == list(map(int, acknowledged))
        assert again.counts()["answered"] == len(acknowledged)
        with again.connections.read() as one:
            assert one.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        say(again, len(acknowledged) + 1)


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_a_file_that_is_no_database_is_said(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "labels.db"
    path.write_bytes(b"question,answer\n" * 500)
    message = f"{path} is damaged or is no label store (file is not a database): restore it from a backup or an export"
    with pytest.raises(ProjectError, match=exactly(message)):
        open_store(path, mode=mode)  # type: ignore[arg-type]


def test_a_damaged_file_is_said_and_never_read_as_fewer_labels(tmp_path: Path) -> None:
    with new(tmp_path, n=500) as store:
        store.plan(0, batch(range(500)), basis=0)
        rows = store.take(500, "ann")
        store.tell_many([Annotation(row.question, "ann", value="x" * 200, token=str(row.question)) for row in rows])
    content = bytearray(store.path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8192] = b"\xff" * 8192
    store.path.write_bytes(content)
    with open_store(store.path) as store, pytest.raises(ProjectError, match="is damaged or is no label store"):
        store.rebuild()


def test_an_empty_file_is_made_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    path.touch()
    with pytest.raises(ProjectError, match=exactly(f"{path} is empty and no label store")):
        open_store(path)
    with open_store(path, create=True) as store:
        assert len(store) == 0


@pytest.mark.parametrize(("mode", "create"), [("rw", False), ("ro", False), ("ro", True)])
def test_a_missing_file_is_said(tmp_path: Path, mode: str, create: bool) -> None:
    path = tmp_path / "labels.db"
    with pytest.raises(ProjectError, match=exactly(f"there is no label store at {path}")):
        open_store(path, mode=mode, create=create)  # type: ignore[arg-type]
    assert not path.exists()


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "labels.db"
    message = f"cannot use {path}: its folder is missing or read-only; what was recorded before is safe"
    with pytest.raises(NotWritable, match=exactly(message)):
        open_store(path, create=True)


def test_a_lock_that_does_not_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY", 0.05)
    with asked(tmp_path, [4]) as store:
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        message = (
            f"cannot use {store.path}: another program has held it for 30 seconds; what was recorded before is safe"
        )
        with pytest.raises(NotWritable, match=exactly(message)):
            say(store, 1)
        assert store.history() == []
        other.execute("ROLLBACK")
        other.close()
        say(store, 1)


def test_an_unknown_mode_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=exactly("unknown mode 'w': use 'rw' or 'ro'")):
        open_store(tmp_path / "labels.db", mode="w")  # type: ignore[arg-type]


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with new(tmp_path) as store:
        pass
    message = f"the store {store.path} is closed: open it again with open_store"
    with pytest.raises(ProjectError, match=exactly(message)):
        _ = store.unasked


def test_odd_names_of_files_are_fine(tmp_path: Path) -> None:
    with new(tmp_path, name="what? 100% #1 ü.db") as store:
        say(store, None, item=1, volunteered=True)
        assert repr(store) == f"open_store({str(store.path)!r}, mode='rw')"
    with open_store(store.path, mode="ro") as again:
        assert again.last == 1
    assert store.path.exists()
