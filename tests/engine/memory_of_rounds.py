"""Prints the resident memory after rounds 3 and 20 of a project with a saved model of texts, in MB."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch

import askwell as aw
from askwell.schemes import Supervised

TEXTS, ROUNDS = 5000, 20


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(model: str, folder: str) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 30, 12)) for _ in range(TEXTS)]
    project = aw.Project.create(
        folder, texts, classes=["even", "odd"], loading={"test_size": 0}, model=model, strategy="badge",
        scheme=Supervised(steps=5, batch=16), initial=20,
    )  # fmt: skip
    for turn in range(ROUNDS + 1):
        for question in project.ask(20):
            project.tell(question.id, question.position % 2)
        project.train()
        if turn in (3, ROUNDS):
            print(resident())


if __name__ == "__main__":
    main(*sys.argv[1:])
