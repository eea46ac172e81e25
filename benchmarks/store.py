"""The label store at 1,000,000 items, as a Markdown table; beside it, what SQLite alone needs for one synced insert.

python benchmarks/store.py [--items 1000000] [--answered 100000]
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from askwell.core.oracle import Annotation
from askwell.store import Store, export, majority, open_store

ROUND = 1000


def batch(ids: Any) -> Any:
    """A batch without scores."""
    return SimpleNamespace(ids=ids, scores=None, annotators=None, units=None, made=(), state=None)


def fill(path: Path, items: int, answered: int) -> Store:
    """A store with so many answers, told round by round, and one more round that is out."""
    store = open_store(path, create=True)
    store.grow(items, "data", "numbers")
    ids = np.random.default_rng(0).choice(items, answered + ROUND, replace=False)
    for round, part in enumerate(np.split(ids, range(ROUND, len(ids), ROUND))):
        store.plan(round, batch(part), basis=store.last)
        if round * ROUND < answered:
            rows = store.take(ROUND, "ann")
            store.tell_many([Annotation(row.question, "ann", value="cat") for row in rows])
    return store


def median(fn: Callable[[], Any], times: int) -> float:
    """Median milliseconds of one call."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        fn()
        took.append(time.perf_counter() - start)
    return float(np.median(took)) * 1e3


def insert(folder: Path) -> Callable[[], Any]:
    """One row into a bare SQLite table, synced as ours is: the floor of `tell`."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, value TEXT)")
    return lambda: connection.execute("INSERT INTO event (value) VALUES ('cat')")


def opened(path: Path) -> int:
    """Opens the store and reads the states of all items."""
    with open_store(path) as store:
        return len(store.unasked)


def table(folder: Path, items: int, answered: int) -> list[tuple[str, float]]:
    """(what, milliseconds) of each row."""
    path = folder / "labels.db"
    store = fill(path, items, answered)
    rows = iter(store.questions(len(store.rounds()) - 1))
    return [
        ("ask one (`take(1)`)", median(lambda: store.take(1, "ann"), 300)),
        ("tell one, synced", median(lambda: store.tell(Annotation(next(rows).id, "ann", value="dog")), 300)),
        ("bare SQLite insert, synced", median(insert(folder), 300)),
        ("`unasked`", median(lambda: store.unasked, 30)),
        ("`labelled(majority)`, new events", median(lambda: relabelled(store, next(rows).id), 3)),
        ("`labelled(majority)`, same events", median(lambda: store.labelled(majority), 3)),
        ("open and `unasked`", median(lambda: opened(path), 5)),
        ("`rebuild`", median(store.rebuild, 1)),
        ("export to JSONL", median(lambda: export(store, folder / "all.jsonl"), 1)),
    ]


def relabelled(store: Store, question: int) -> Any:
    """Labels after one more answer."""
    store.tell(Annotation(question, "ann", value="dog"))
    return store.labelled(majority)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--answered", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = table(Path(folder), given.items, given.answered)
    print(f"| store, {given.items:,} items, {given.answered:,} answered | median ms |\n| --- | ---: |")
    for what, took in rows:
        print(f"| {what} | {took:,.2f} |")


if __name__ == "__main__":
    main()
