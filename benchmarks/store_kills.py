"""Kills a program that takes and tells, again and again, and counts what its label store lost: nothing.

    python benchmarks/store_kills.py --kills 50

Each acknowledged answer is written to a second file, by the program, after `tell` has returned. After every kill the
store must hold exactly what that file names, plus at most one answer whose acknowledgement was cut off. At the end its
log must equal that of a run that nobody killed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np

from askwell.core.oracle import Annotation
from askwell.core.store import Row
from askwell.store import Store, open_store

BATCH = 20


class Chosen:
    """A batch of unasked items that depends on the round alone."""

    scores = annotators = units = state = None
    made = ()

    def __init__(self, store: Store) -> None:
        self.ids = np.random.default_rng(len(store.rounds())).choice(store.unasked, BATCH, replace=False)


def answer(row: Row) -> Annotation:
    """What is said to a question: a label, now and then a skip; the token makes a retry safe."""
    verb = "skip" if row.item % 17 == 0 else "label"
    value = None if verb == "skip" else ["cat", "dog", "elk"][row.item % 3]
    return Annotation(row.question, "ann", verb=verb, value=value, token=f"{verb} {row.question}")  # type: ignore[arg-type]


def work(path: Path, acknowledged: Path, answers: int) -> None:
    """Takes and tells until the store holds so many answers; begins or continues."""
    with open_store(path, create=True) as store, acknowledged.open("a", buffering=1) as file:
        if not len(store):
            store.grow(2 * answers, "data", "numbers")
        print("open", flush=True)
        while store.last < answers:
            rows = store.take(3, "ann")
            if not rows:
                store.plan(len(store.rounds()), Chosen(store), basis=0)  # type: ignore[arg-type]
            for row in rows:
                file.write(f"{store.tell(answer(row))} {row.question}\n")


def killed(path: Path, acknowledged: Path, answers: int, kills: int, rng: random.Random) -> int:
    """Runs `work` in a child that is killed so many times at random moments; returns how many kills hit it at work."""
    command = [sys.executable, __file__, "--work", str(path), str(acknowledged), str(answers)]
    hits = 0
    for left in range(kills, -1, -1):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            if left:
                _wait(child, rng)
                child.send_signal(signal.SIGKILL)
            hits += child.wait() == -signal.SIGKILL
        check(path, acknowledged)
    return hits


def _wait(child: subprocess.Popen[bytes], rng: random.Random) -> None:
    """Into the work, mostly; one time in five into the start, where the file is made or opened."""
    if rng.random() < 0.2:
        time.sleep(rng.uniform(0.05, 0.3))
        return
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(rng.uniform(0.0, 0.05))


def check(path: Path, acknowledged: Path) -> None:
    """Every acknowledged answer is there once; at most one more than that is."""
    if not path.exists() or not path.stat().st_size:
        return
    with open_store(path, create=True) as store:
        kept = {event.seq: event.question for event in store.history()}
    lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    named = dict(map(int, line.split()) for line in lines)
    lost = {seq for seq, question in named.items() if kept.get(seq) != question}
    assert not lost, f"answers {sorted(lost)} were acknowledged and are lost"
    assert len(set(kept.values())) == len(kept), "an answer was recorded twice"


def log(path: Path) -> list[tuple[object, ...]]:
    """Everything that decides a result, without the clock."""
    with open_store(path) as store:
        asked = [(one.round, one.rank, one.item) for one in store.questions()]
        return [*asked, *((event.seq, *event[2:]) for event in store.history()), tuple(store.states().tolist())]


def run(kills: int, answers: int, seed: int) -> tuple[int, int]:
    """Compares a killed run with an uninterrupted one; returns kills that hit and answers kept."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "killed.db"), Path(folder, "whole.db")
        hits = killed(one, Path(folder, "killed.txt"), answers, kills, random.Random(seed))
        with redirect_stdout(StringIO()):
            work(two, Path(folder, "whole.txt"), answers)
        found, wanted = log(one), log(two)
    assert found == wanted, "the killed run differs from the uninterrupted one"
    return hits, answers


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--answers", type=int, default=5000, help="answers in all")
    parser.add_argument("--seed", type=int, default=os.getpid())
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(Path(given.work[0]), Path(given.work[1]), int(given.work[2]))
        return
    hits, answers = run(given.kills, given.answers, given.seed)
    print(f"{given.kills} kills ({hits} at work, seed {given.seed}), {answers} answers: none lost, none doubled,")
    print("and the log equals that of an uninterrupted run")


if __name__ == "__main__":
    main()
