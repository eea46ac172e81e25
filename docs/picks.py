"""Draws what every strategy picks on one pool of two dimensions: `make pictures`.

Each strategy has its own recipe, or the plain one, on the same items, from the same first answers; a project asks once
more after its first fit. Pictures go to docs/picks/, and the last section of docs/strategies.md shows them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray
from rich.progress import track

import askwell as aw
from askwell.core.recipe import Recipe
from askwell.core.registry import catalogue
from askwell.core.strategy import Strategy
from askwell.engine.assemble import part
from askwell.errors import AskwellError

PAGE, FOLDER = Path(__file__).with_name("strategies.md"), Path(__file__).with_name("picks")
TITLE = "## What each one picks"
COLOURS = np.array(["#4c78a8", "#59a14f", "#b07aa1"])
SETTINGS = {
    "albl": "albl(strategies=(margin, coreset, random), steps=100)",
    "class_balance": "class_balance(strategy=margin)",
    "cluster_round_robin": "margin | cluster_round_robin",
    "k_center": "margin | k_center",
    "marginal_relevance": "margin | marginal_relevance",
    "no_duplicates": "no_duplicates | margin",
    "one_per_cluster": "one_per_cluster(per=3) | margin",
    "power": "margin | power",
    "refine": "refine(strategies=(random, margin, badge, typiclust), selector=uherding, batches=8, depth=2)",
    "softmax": "margin | softmax(beta=10)",
    "softrank": "margin | softrank",
    "stochastic": "margin | stochastic",
    "stream": "stream(strategy=margin)",
    "subsample": "subsample(size=60) | margin",
    "thompson": "thompson(strategies=(margin, coreset, random))",
    "top": "margin | top",
    "top_share": "top_share(beta=5) | margin | weighted_kmeans",
    "weighted_kmeans": "margin | weighted_kmeans",
}
"""Strategies that are made around others; all else is as its recipe or its defaults have it."""
FIRST, ASKED = 12, 12
GROUPS: Mapping[str, tuple[str, str]] = {
    "probs": ("Scores of probabilities", "One forward pass; the most doubtful items, alike or not."),
    "mc_probs": ("Draws and committees", "Several functions that fit the labels; items on which they differ."),
    "features": ("Fixed features", "No model: items that stand for, or cover, the pool."),
    "embedding": ("Embeddings", "What the model makes of an item: cover, spread, gradients."),
    "other": ("Others", "Other needs: trained critics, networks, numbers, labels of several annotators."),
}


def pool() -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """600 items: two bent bands that touch, a dense blob, and a few far away."""
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, np.pi, (2, 220))
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])], 1)
    lower = np.stack([1 - np.cos(angle[1]), 0.45 - np.sin(angle[1])], 1)
    blob, far = rng.normal((-0.9, -0.7), 0.12, (140, 2)), rng.uniform((-1.6, -1.3), (2.4, 1.6), (20, 2))
    x = np.concatenate([upper, lower, blob, far]) + rng.normal(0, 0.11, (600, 2))
    kinds = np.repeat(["upper", "lower", "blob", "upper"], [220, 220, 140, 20])
    order = rng.permutation(600)
    return x[order].astype(np.float32), kinds[order]


@dataclass(frozen=True)
class Picked:
    """What one strategy did: places of the first answers and of what it asked then, items that it made."""

    first: list[int]
    asked: list[int]
    made: NDArray[np.float32]
    classes: NDArray[np.int64] | None


def grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places at which the model is drawn."""
    across, up = np.meshgrid(np.linspace(-1.9, 2.7, 60), np.linspace(-1.6, 1.9, 50))
    return across, up


def labels_of(kind: str, x: NDArray[np.float32], y: NDArray[np.str_]) -> list[Any]:
    """What the items are called in a task of this kind: one class, several labels, a number."""
    if kind == "multi_label":
        return [["high"] * bool(up > 0.3) + ["right"] * bool(across > 0.5) for across, up in x]
    if kind == "regression":
        return [float(np.sin(2 * across) + up) for across, up in x]
    return [str(name) for name in y]


def recipes() -> dict[str, Recipe]:
    """The recipe of each strategy that has one: that of its name before others that use it."""
    found = {make().strategy.name: make() for make in catalogue("recipes").values()}
    return found | {name: make() for name, make in catalogue("recipes").items() if make().strategy.name == name}


def kind_of(strategy: Strategy) -> str:
    """The kind of label that a strategy is for, by its needs."""
    names = {need.name for need in strategy.needs}
    if names & {"label_probs", "mc_label_probs"}:
        return "multi_label"
    return "regression" if names & {"predictions", "mc_predictions"} else "classification"


def strategy_of(name: str) -> Strategy:
    """The strategy as it is drawn."""
    if name not in SETTINGS and name in recipes():
        return recipes()[name].strategy
    found: Strategy = part("strategies", SETTINGS.get(name, name))
    return found


def picked(name: str, strategy: Strategy, x: NDArray[np.float32], y: NDArray[np.str_]) -> Picked:
    """One round after the first fit, with the strategy's own recipe."""
    kind, recipe = kind_of(strategy), recipes().get(name)
    labels = labels_of(kind, x, y)
    parts = {"recipe": recipe.name} if recipe and name not in SETTINGS else {"strategy": strategy}
    with tempfile.TemporaryDirectory() as folder:
        project = aw.Project.create(
            f"{folder}/one", x, loading={"labels": labels, "test_size": 60, "validation_size": 60, "task": kind},
            initial=FIRST, batch=ASKED, start="random", **parts,
        )  # fmt: skip
        with project:
            first = project.ask(FIRST)
            for question in first:
                project.tell(question.id, labels[question.position])
            project.train()
            asked = project.ask(ASKED)
            classes = predicted(project) if kind == "classification" else None
    made = [np.asarray(question.item) for question in asked if question.position >= len(x)]
    return Picked(
        [question.position for question in first],
        [question.position for question in asked if question.position < len(x)],
        np.array(made, np.float32).reshape(-1, 2),
        classes,
    )


def predicted(project: aw.Project) -> NDArray[np.int64]:
    """The class at every place of the grid."""
    across, up = grid()
    told = project.predict(np.stack([across.ravel(), up.ravel()], 1).astype(np.float32), calibrate=False)
    return np.asarray(told.probs).argmax(1).reshape(across.shape)


def draw(axes: Axes, name: str, found: Picked, x: NDArray[np.float32], y: NDArray[np.str_]) -> None:
    """The pool in its classes, the model's borders, the first answers as crosses, what was asked as rings."""
    colours = COLOURS[np.unique(y, return_inverse=True)[1]]
    axes.scatter(*x.T, s=5, c=colours, alpha=0.45, linewidths=0)
    if found.classes is not None:
        axes.contour(*grid(), found.classes, levels=(0.5, 1.5), colors="#888888", linewidths=0.7)
    axes.scatter(*x[found.first].T, s=26, c="black", marker="x", linewidths=1.1)
    axes.scatter(*x[found.asked].T, s=42, facecolors="none", edgecolors="#e4572e", linewidths=1.5)
    axes.scatter(*found.made.T, s=40, c="#e4572e", marker="*", linewidths=0)
    axes.set(xticks=[], yticks=[], xlim=(-1.9, 2.7), ylim=(-1.6, 1.9))
    axes.set_title(name, fontsize=10)


def sheet(path: Path, chosen: Mapping[str, Picked], x: NDArray[np.float32], y: NDArray[np.str_]) -> None:
    """One picture of several strategies, four in a row."""
    rows = -(-len(chosen) // 4)
    figure, places = plt.subplots(rows, 4, figsize=(10.4, 2.05 * rows), squeeze=False, layout="constrained")
    for axes in places.flat[len(chosen) :]:
        axes.axis("off")
    for axes, (name, found) in zip(places.flat, chosen.items(), strict=False):
        draw(axes, name, found, x, y)
    figure.savefig(path, dpi=96, metadata={"Software": None})
    plt.close(figure)


def group_of(strategy: Strategy) -> str:
    """The group of a strategy: by the need that costs most."""
    names = [need.name for need in strategy.needs]
    for group in ("mc_probs", "embedding", "features", "probs"):
        if group in names and set(names) <= {*GROUPS, "logits", "labels", "head"}:
            return group
    return "other"


def page(groups: Mapping[str, Sequence[str]], refused: Mapping[str, str]) -> str:
    """The section: a picture for each group, and why the others have none."""
    head = f"""{TITLE}

Drawn by `make pictures`: the same 600 items of two dimensions in three classes, the same twelve first answers
(crosses), one fit by each strategy's own recipe (its borders in grey), and the next twelve questions (rings; stars are
items that the strategy made). One seed: a picture of a behaviour, no proof that it pays.
"""
    blocks = [
        f"\n### {GROUPS[group][0]}\n\n{GROUPS[group][1]}\n\n![{', '.join(names)}](picks/{group}.png)\n"
        for group, names in groups.items()
    ]
    rest = "".join(f"- `{name}`: {why}\n" for name, why in refused.items())
    return head + "".join(blocks) + (f"\n### Not drawn\n\n{rest}" if rest else "")


def main(names: Iterable[str]) -> None:
    """Draws these strategies; all pictures and the section are written anew."""
    x, y = pool()
    chosen: dict[str, dict[str, Picked]] = {group: {} for group in GROUPS}
    refused: dict[str, str] = {}
    for name in track(sorted(names), "strategies"):
        try:
            strategy = strategy_of(name)
            chosen[group_of(strategy)][name] = picked(name, strategy, x, y)
        except AskwellError as error:
            refused[name] = str(error).partition(";")[0].rpartition(": ")[2]
    FOLDER.mkdir(exist_ok=True)
    for group, drawn in chosen.items():
        sheet(FOLDER / f"{group}.png", drawn, x, y)
    before = PAGE.read_text(encoding="utf-8").partition(TITLE)[0].rstrip()
    section = page({group: list(drawn) for group, drawn in chosen.items() if drawn}, refused)
    PAGE.write_text(f"{before}\n\n{section}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="strategies; all of them unless given")
    sys.exit(main(parser.parse_args().names or catalogue("strategies")))
