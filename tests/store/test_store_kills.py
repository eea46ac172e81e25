"""A kill loses nothing that was acknowledged, and a cut write-ahead log leaves a prefix."""

from __future__ import annotations

import importlib.util
import random
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from store_scenes import asked, batch, new, told

from askwell.core.oracle import Annotation
from askwell.errors import InputError
from askwell.store import Store, majority, open_store

KILLS = Path(__file__).parents[2] / "benchmarks" / "store_kills.py"

WRITER = """
import os, sys
from askwell.core.oracle import Annotation
from askwell.store import open_store
store = open_store(sys.argv[1])
for row in store.take(1000, sys.argv[2]):
    store.tell(Annotation(row.question, sys.argv[2], value=row.item, token=f"{sys.argv[2]} {row.question}"))
if sys.argv[3] == "die":
    os._exit(9)
"""


def kills() -> ModuleType:
    spec = importlib.util.spec_from_file_location("store_kills", KILLS)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def writer(path: Path, who: str, end: str = "close") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), who, end])


def test_ten_kills_lose_and_double_nothing() -> None:
    hits, _ = kills().run(kills=10, answers=200, seed=3)
    assert hits > 0


def test_two_programs_that_tell_at_once_lose_nothing(tmp_path: Path) -> None:
    with asked_many(tmp_path, answers=2) as store:
        writers = [writer(store.path, who) for who in ("ann", "bob")]
        assert [one.wait() for one in writers] == [0, 0]
        votes = [(vote.question, vote.annotator) for vote in store.votes()]
        assert sorted(votes, key=str) == sorted(
            ((question, who) for question in range(1, 61) for who in ("ann", "bob")), key=str
        )
        assert store.counts()["answered"] == 60
        assert [event.seq for event in store.history()] == list(range(1, 121))


def test_threads_that_tell_at_once_lose_nothing(tmp_path: Path) -> None:
    with asked_many(tmp_path, answers=4) as store:

        def work(who: str) -> None:
            for row in store.take(60, who):
                store.tell(Annotation(row.question, who, value=row.item))
                _ = store.unasked

        threads = [threading.Thread(target=work, args=(f"annotator {k}",)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.last == 240
        assert store.counts()["answered"] == 60
        assert store.labelled(majority).values == list(range(60))


def test_a_log_that_was_cut_anywhere_holds_a_prefix(tmp_path: Path) -> None:
    with asked_many(tmp_path) as store:
        store.connections.checkpoint()
        assert writer(store.path, "ann", "die").wait() == 9
        whole = told(store)
        base, wal = tmp_path / "base.db", tmp_path / "base.db-wal"
        shutil.copy(store.path, base)
        shutil.copy(f"{store.path}-wal", wal)
    length, rng = wal.stat().st_size, random.Random(4)
    found = set()
    for cut in [0, 10, 32, length, *(rng.randrange(length) for _ in range(25))]:
        path = tmp_path / f"cut-{cut}.db"
        shutil.copy(base, path)
        Path(f"{path}-wal").write_bytes(wal.read_bytes()[:cut])
        with open_store(path) as store:
            kept, states = told(store), store.states().tolist()
            assert kept == whole[: len(kept)]
            store.rebuild()
            assert store.states().tolist() == states
            found.add(len(kept))
    assert {0, len(whole)} <= found
    assert len(found) > 5


def test_a_flipped_byte_in_the_log_leaves_a_prefix(tmp_path: Path) -> None:
    with asked_many(tmp_path) as store:
        store.connections.checkpoint()
        assert writer(store.path, "ann", "die").wait() == 9
        whole = told(store)
        content = Path(f"{store.path}-wal").read_bytes()
        for place in (40, len(content) // 2, len(content) - 9):
            path = tmp_path / f"flip-{place}.db"
            shutil.copy(store.path, path)
            Path(f"{path}-wal").write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
            with open_store(path) as other:
                kept = told(other)
            assert kept == whole[: len(kept)]
            assert len(kept) < len(whole)


def test_a_fork_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    code = f"""
import os
from askwell.core.oracle import Annotation
from askwell.store import open_store
store = open_store({str(tmp_path / "labels.db")!r})
child = os.fork()
store.tell(Annotation(1 if child else 2, "ann", value=bool(child)))
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert {{(event.question, event.value) for event in store.history()}} == {{(1, True), (2, False)}}
"""
    with asked(tmp_path, [4, 5]):
        subprocess.run([sys.executable, "-c", code], check=True)


def asked_many(folder: Path, answers: int = 1) -> Store:
    """Sixty items, all out."""
    store = new(folder, n=60)
    store.register(["ann", "bob"])
    store.plan(0, batch(range(60)), basis=0, answers=answers)
    return store


def test_answers_wait_for_the_disk_also_after_leases_did_not(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        store.take(1, "ann")
        store.give_back(1, "ann")
        with suppress(InputError):
            store.take(1, "")
        with store.connections.write() as connection:
            pragmas = ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
            found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == [2, "wal", 1, 30_000]
