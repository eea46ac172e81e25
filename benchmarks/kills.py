"""Kills a run again and again at random moments, and compares what it becomes with a run that was left alone.

    python benchmarks/kills.py --kills 50

After every kill the recorded events must begin with those seen before it; at the end questions, answers, weights and
curves must equal the uninterrupted run's. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from askwell.engine.project import Project
from askwell.engine.run import run
from askwell.errors import AskwellError
from askwell.store import open_store

SETTINGS: dict[str, Any] = {
    "strategy": "badge", "initial": 20, "batch": 10, "rounds": 6, "against": None, "quiet": True, "threads": 1,
    "scheme": "supervised(steps=150)",
}  # fmt: skip


def job(out: Path) -> None:
    run("digits", out=out, **SETTINGS)


def start(work: Callable[[], None]) -> int:
    """Runs the work in a fork of this process, which has loaded everything already."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def finished(child: int, seconds: float) -> bool:
    """Whether the child ended by itself within this time; otherwise it is killed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the run failed with status {status}"
            return True
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def events(folder: Path) -> list[Any]:
    """All recorded events, from a read-only look at the store."""
    found = next(folder.glob("*/seed-0/labels.db"), None)
    if found is None:
        return []
    try:
        with open_store(found, mode="ro") as store:
            return list(store.votes())
    except AskwellError:
        return []


def outcome(folder: Path) -> dict[str, Any]:
    """What two runs must agree on."""
    with Project.open(next(folder.glob("*/seed-0"))) as project:
        return {
            "questions": [[row.item for row in project.store.questions(one.round)] for one in project.reports],
            "answers": [(vote.question, vote.value) for vote in project.store.votes()],
            "curve": [(report.labels, dict(report.metrics)) for report in project.reports],
            "weights": [report.weights for report in project.reports],
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        assert finished(start(lambda: job(Path(folder) / "whole")), 600)
        length = time.monotonic() - began
        whole, kills, runs, lost = outcome(Path(folder) / "whole"), 0, 0, 0
        while kills < options.kills or runs == 0:
            target, seen = Path(folder) / f"killed-{runs}", []
            while True:
                wait = dice.uniform(0, length / 3) if kills < options.kills else 600
                if finished(start(lambda target=target: job(target)), wait):  # type: ignore[misc]
                    break
                kills += 1
                now = events(target)
                lost += now[: len(seen)] != seen
                seen = now
            runs += 1
            if outcome(target) != whole:
                print(f"run {runs} differs from the uninterrupted one")
                return 1
        verdict = f"{lost} lost records; every run equals the uninterrupted one"
        print(f"{kills} kills over {runs} runs of {length:.1f} s: {verdict}")
        return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
