"""Whether a data set is redundant: what is learned from its most, least and randomly chosen important items.

Trains on some labelled items, ranks them by the length of their gradients at the end of training, averaged over seeds,
and trains anew on the top m, on the bottom m and on m at random. Prints a Markdown table per data set, and the
redundancy index: the area under the curve of the top items minus that of random ones, with its interval over seeds.
`ASKWELL_DATA` names the folder of the data sets.

Vodrahalli, Li and Malik 2018, arXiv 1811.12569.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from askwell.core.learner import Job, Learner
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.data import Data, load
from askwell.engine.assemble import assemble, task_for
from askwell.learners.importance import Layers, gradient_importance
from askwell.metrics.curves import Curve, compare_areas, mean_interval

WAYS = ("top", "random", "bottom")


class Set(NamedTuple):
    """A data set with the items that are ranked."""

    data: Data
    task: Task
    ids: Tensor
    labels: Tensor


def opened(name: str, items: int) -> Set:
    """A data set by name; of its candidates, as many as are to be ranked, at random."""
    data = load(name)
    recipe = assemble(form=data.pool.form, strategy="random")
    task = task_for(recipe, data.classes)
    ids = np.sort(np.random.default_rng(0).permutation(data.split.candidates)[:items])
    return Set(data, task, torch.from_numpy(ids), _targets(data, task, ids))


def _targets(data: Data, task: Task, ids: np.ndarray) -> Tensor:
    assert data.labels is not None
    return task.encode([task.check(data.labels[position]) for position in ids])


def trained(given: Set, rows: Tensor, seed: int) -> Learner:
    """The standard network of the items, trained on these rows of the set."""
    recipe = assemble(form=given.data.pool.form, strategy="random")
    learner = recipe.learner.build(given.data.pool.form, given.task, recipe.scheme)
    none = torch.arange(0)
    learner.fit(given.data.pool, Job(given.ids[rows], given.labels[rows], none, none, none), Seeds(seed).child("fit"))
    return learner


def ranked(given: Set, seeds: int, layers: Layers) -> Tensor:
    """(M,) rows, the most important first: mean length of the gradients over models of several seeds."""
    everything = torch.arange(len(given.ids))
    total = torch.zeros(len(given.ids))
    for seed in range(seeds):
        total += gradient_importance(trained(given, everything, seed), given.data.pool, given.ids, given.labels, layers)
    return total.argsort(descending=True)


def curves(given: Set, order: Tensor, sizes: Sequence[int], seeds: int) -> dict[str, list[Curve]]:
    """Accuracy on the test part by number of items: one curve per seed and way to choose them."""
    test = given.data.split.test
    truth = _targets(given.data, given.task, test)
    found: dict[str, list[Curve]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        shuffled = torch.randperm(len(order), generator=Seeds(seed).torch("random"))
        orders = {"top": order, "random": shuffled, "bottom": order.flip(0)}
        for way, rows in orders.items():
            models = [(size, trained(given, rows[:size], seed)) for size in sizes]
            found[way].append([(size, accuracy(given, model, test, truth)) for size, model in models])
    return found


def accuracy(given: Set, model: Learner, test: np.ndarray, truth: Tensor) -> float:
    return given.task.metrics(model.predict(given.data.pool, torch.from_numpy(test)), truth)["accuracy"]


def table(name: str, found: dict[str, list[Curve]], seconds: float) -> None:
    print(f"\n**{name}** ({seconds:.0f} s)\n\n| items | " + " | ".join(WAYS) + " |\n|" + "---|" * (len(WAYS) + 1))
    for place, (size, _) in enumerate(found["top"][0]):
        cells = [mean_interval([curve[place][1] for curve in found[way]]) for way in WAYS]
        print(f"| {size} | " + " | ".join(f"{mean:.1%} ± {half:.1%}" for mean, half in cells) + " |")
    print(f"\nredundancy index, top against random: {compare_areas(found['top'], found['random'])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=["digits"])
    parser.add_argument("--items", type=int, default=600, help="labelled items that are ranked")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200, 400])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--layers", choices=("all", "last"), default="all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.sets:
        start = time.perf_counter()
        given = opened(name, options.items)
        order = ranked(given, options.seeds, options.layers)
        sizes = [size for size in options.sizes if size <= len(order)]
        table(name, curves(given, order, sizes, options.seeds), time.perf_counter() - start)


if __name__ == "__main__":
    main()
