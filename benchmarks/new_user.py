"""ActiveHARNet's question: how many windows of a new user must be labelled once the others' have been?

For each record of ecg_mitbih: train on the beats of all other records, then label a fraction η of the record's own, by
variation ratios and at random, and go on training on these. No window of the test shares samples with one that may be
asked. Prints a Markdown table of accuracies on the record's test beats, means over records.

    python benchmarks/new_user.py --records 106 119 200 208 --steps 600
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import askwell as aw
from askwell.core.recipe import Recipe
from askwell.data import Data, leave_out, load
from askwell.engine.assemble import task_for
from askwell.engine.pretrain import pretrain
from askwell.recipes import active_harnet
from askwell.schemes import Supervised

FRACTIONS = (0.2, 0.4, 0.6, 1.0)


def started(recipe: Recipe, others: Data, folder: Path, steps: int) -> tuple[Recipe, Path]:
    """The recipe that goes on from what the others' windows have taught."""
    first = replace(recipe, scheme=Supervised(steps=steps, batch=64, class_weights="balanced"))
    weights = pretrain(others, first, folder / "pretrained")
    return replace(recipe, scheme=replace(recipe.scheme, policy=("warm", str(weights)))), weights


def before(recipe: Recipe, own: Data, weights: Path) -> float:
    """Accuracy on the new user with no label of his: η = 0."""
    task, test = task_for(recipe, own.classes), torch.from_numpy(own.split.test)
    learner = recipe.learner.build(own.pool.form, task, recipe.scheme)
    learner.load(weights)
    return float(np.mean(learner.predict(own.pool, test).argmax(1).numpy() == own.labels[own.split.test]))


def after(recipe: Recipe, own: Data, share: float, out: Path) -> dict[str, float]:
    """Accuracy with this fraction of the user's windows labelled, by arm; half of it at random, half chosen."""
    wanted = round(share * len(own.split.candidates))
    initial = max(1, wanted // 2)
    rounds = {"initial": initial, "batch": max(1, wanted - initial), "rounds": 1}
    result = aw.run(own, recipe=recipe, **rounds, out=out, quiet=True)
    return {arm: curves[0][-1][1] for arm, curves in result.curves().items()}


def one(data: Data, record: int, folder: Path, steps: int) -> list[float]:
    """The row of one record: η = 0, then both arms for every fraction."""
    others, own = leave_out(data, record)
    recipe, weights = started(active_harnet(), others, folder, steps)
    row = [before(recipe, own, weights)]
    for share in FRACTIONS:
        found = after(recipe, own, share, folder / "runs")
        row += [found["active_harnet"], found["random"]]
    return row


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[106, 119, 200, 208])
    parser.add_argument("--steps", type=int, default=600, help="of the training on the others")
    parser.add_argument("--out", type=Path, default=Path("runs/new_user"))
    given = parser.parse_args()
    data = load("ecg_mitbih")
    heads = ["record", "η 0", *(f"η {share} {arm}" for share in FRACTIONS for arm in ("asked", "random"))]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    rows = []
    for record in given.records:
        rows.append(one(data, record, given.out, given.steps))
        print(f"| {record} | " + " | ".join(f"{value:.3f}" for value in rows[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{value:.3f}" for value in np.mean(rows, 0)) + " |")


if __name__ == "__main__":
    main()
