"""Kills streams again and again, and compares what becomes of them with streams that were left alone.

    python tests/engine/kill_streams.py

Exits with 1 where a killed stream asks other questions, or another question next.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from askwell.data import load
from askwell.engine.loop import answer
from askwell.engine.project import Project
from askwell.engine.run import run
from askwell.engine.stream import Arrivals
from askwell.oracles import Truth

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 140)
ROWS = (np.array([[0, 0], [3, 0], [0, 3]])[LABELS] + RNG.normal(size=(140, 2))).astype(np.float32)
STRATEGY = "stream(strategy=margin, manager=randomised(budget=0.3))"


def pool(folder: Path) -> None:
    """A stream through a pool."""
    settings = {"strategy": STRATEGY, "learner": "linear", "initial": 6, "batch": 4, "rounds": 6, "against": None}
    run(ROWS, labels=LABELS, out=folder, quiet=True, **settings)


def arrivals(folder: Path) -> None:
    """Items that arrive one by one from outside, with a training after every fourth question."""
    if (folder / "p" / "project.json").exists():
        project = Project.open(folder / "p", ROWS[:40])
    else:
        names = ["a", "b", "c"]
        project = Project.create(folder / "p", ROWS[:40], strategy=STRATEGY, learner="linear", classes=names)
    if not project.reports:
        project.store.register(["truth"])
        if not project.store.planned:
            project.plan(6)
        answer(project, Truth(LABELS[:40]))
        project.train()
    stream = Arrivals(project)
    while True:
        for row in project.store.pending():
            index = np.flatnonzero((project.pool.item(row.item) == ROWS).all(1))[0]
            project.tell(row.question, int(LABELS[index]))
        if project.store.planned - project.reports[-1].planned >= 4:
            project.train()
        if stream.seen == 100:
            break
        stream.offer([ROWS[40 + stream.seen]])
    project.close()


def outcome(folder: Path) -> object:
    """What was asked, what was answered, the models, and how far the stream has come."""
    cell = next(folder.glob("*/seed-0"), None)
    with Project.open(cell, load(ROWS, labels=LABELS)) if cell else Project.open(folder / "p", ROWS[:40]) as project:
        asked = [project.pool.item(row.item).tolist() for row in project.store.questions()]
        weights = [report.weights for report in project.reports]
        return asked, [vote.value for vote in project.store.votes()], weights, project.store.state["seen"]


def finished(job: Callable[[Path], None], folder: Path, seconds: float) -> bool:
    """Whether the job ended within this time in a process of its own; otherwise that is killed."""
    child = os.fork()
    if not child:
        status = 1
        try:
            job(folder)
            status = 0
        finally:
            os._exit(status)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"{job} failed with status {status}"
            return True
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> int:
    torch.set_num_threads(1)
    dice, kills = random.Random(0), 0
    with tempfile.TemporaryDirectory() as place:
        for job in (pool, arrivals):
            whole, killed = Path(place) / f"{job.__name__}-whole", Path(place) / f"{job.__name__}-killed"
            for folder in (whole, killed):
                folder.mkdir()
            began = time.monotonic()
            assert finished(job, whole, 600)
            length = time.monotonic() - began
            for _ in range(8):
                if finished(job, killed, dice.uniform(0.05, length / 3)):
                    break
                kills += 1
            assert finished(job, killed, 600)
            if outcome(whole) != outcome(killed):
                print(f"the {job.__name__} stream that was killed is another one")
                return 1
    print(f"{kills} kills: every stream asks the same questions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
