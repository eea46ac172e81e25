"""Every strategy at 1e4, 1e5 and 1e6 items: seconds, how they grow, memory, the plain version, the best package.

    python benchmarks/growth.py [NAME ...] [--sizes 10000 100000 1000000] [--most 120]

Prints Markdown. Figures are process CPU-seconds of `select` with one thread, with every need at hand; each strategy has
a process of its own. Memory is the peak of anonymous memory over the inputs, as a share of them where there are any.
Plain versions and packages run in the same process on the same view, at the largest size that they should finish in 20
CPU-seconds. What would take more than `--most`, to judge by the size before, is estimated and marked with ≈.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import log10
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import straight  # noqa: E402
import torch  # noqa: E402
from kernels import MOST_BYTES, MOST_SECONDS, peak, seconds  # noqa: E402
from torch import Generator, Tensor  # noqa: E402

from askwell.core.needs import EMBEDDING, FEATURES, LABELS, PROBS, Need, Over  # noqa: E402
from askwell.core.registry import catalogue  # noqa: E402
from askwell.core.spec import parse  # noqa: E402
from askwell.core.store import Vote  # noqa: E402
from askwell.core.strategy import Strategy  # noqa: E402
from askwell.core.view import View  # noqa: E402
from askwell.errors import AskwellError  # noqa: E402
from askwell.testing.scenes import SceneNetwork  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
CLASSES, WIDTH, ASKED = 10, 64, 100
SETS: Mapping[Over, int] = {"labelled": 200, "validation": 200, "targets": 200}
QUICK, BESIDE = 5.0, 20.0
"""Seconds below which a figure is taken from a second run, and that a plain version or a package may take."""
REFUSED = "not compared: "
FEW = {"batch_bald": 5}
"""Picks of strategies that are made for small batches."""
COMMON = (PROBS, EMBEDDING, EMBEDDING.at("labelled"), FEATURES, FEATURES.at("labelled"), LABELS)
SETTINGS = {
    "albl": "albl(strategies=(margin, coreset, random), steps=100)",
    "class_balance": "class_balance(strategy=margin)",
    "cluster_round_robin": "margin | cluster_round_robin",
    "k_center": "margin | k_center",
    "marginal_relevance": "margin | marginal_relevance",
    "no_duplicates": "no_duplicates | margin",
    "one_per_cluster": "one_per_cluster | margin",
    "pal": "pal(policy=untrained)",
    "power": "margin | power",
    "ral": "ral(policy=untrained)",
    "refine": "refine(strategies=(random, margin, badge, typiclust), selector=uherding)",
    "softmax": "margin | softmax",
    "softrank": "margin | softrank",
    "stochastic": "margin | stochastic",
    "stream": "stream(strategy=margin)",
    "subsample": "subsample(size=10000) | margin",
    "thompson": "thompson(strategies=(margin, coreset, random))",
    "top": "margin | top",
    "top_share": "top_share | margin | weighted_kmeans",
    "weighted_kmeans": "margin | weighted_kmeans",
}


class Pool:
    """Made outputs for N candidates and the sets beside them, in float32."""

    def __init__(self, size: int) -> None:
        self.size, self.total = size, size + sum(SETS.values())
        centres = 2 * torch.randn(100, WIDTH, generator=seeded(1))
        self.embedding = torch.randn(self.total, WIDTH, generator=seeded(2))
        self.embedding.add_(centres[torch.arange(self.total) % 100])
        self.logits = self.embedding @ torch.randn(WIDTH, CLASSES, generator=seeded(3)) / 8

    def view(self, needs: Sequence[Need]) -> View:
        """The candidates, with all these needs at hand."""
        starts = [self.size, *[self.size + sum(list(SETS.values())[: place + 1]) for place in range(len(SETS))]]
        sets = {over: torch.arange(starts[place], starts[place + 1]) for place, over in enumerate(SETS)}
        view = View(torch.arange(self.size), needs, self.fetch, sets=sets, num_classes=CLASSES)
        for need in needs:
            view[need]
        return view

    def fetch(self, needs: tuple[Need, ...], sets: Mapping[Over, Tensor]) -> dict[Need, Any]:
        return {need: self.value(need, sets.get(need.over, torch.arange(0))) for need in needs}

    def value(self, need: Need, ids: Tensor) -> Any:
        """What the view gives for one need."""
        makers: dict[str, Callable[[], Any]] = {
            "probs": lambda: self.logits[ids].softmax(1),
            "logits": lambda: self.logits[ids],
            "embedding": lambda: self.embedding[ids],
            "features": lambda: self.embedding[ids],
            "mc_probs": lambda: self.draws(need, ids).softmax(2),
            "mean_probs": lambda: self.logits[ids].softmax(1),
            "mean_entropy": lambda: torch.special.entr(self.logits[ids].softmax(1)).sum(1),
            "vote_shares": lambda: torch.nn.functional.one_hot(self.logits[ids].argmax(1), CLASSES).float(),
            "logit_moments": lambda: torch.stack([self.logits[ids], torch.ones(len(ids), CLASSES)], 2),
            "words": lambda: torch.randint(1, 5000, (len(ids), 20), generator=seeded(5)),
            "similarity": lambda: torch.nn.functional.normalize(self.embedding[ids]),
            "latent": lambda: self.embedding[ids, :16].contiguous(),
            "label_probs": lambda: self.logits[ids].sigmoid(),
            "mc_label_probs": lambda: self.draws(need, ids).sigmoid_(),
            "predictions": lambda: self.logits[ids, :1],
            "mc_predictions": lambda: self.draws(need, ids)[..., :1].contiguous(),
            "labels": lambda: ids % CLASSES,
            "cost": lambda: torch.ones(len(ids)),
            "latent_score": lambda: self.logits[ids, 0].sigmoid(),
            "votes": lambda: tuple(Vote(i, i, i, "", "ann", i % CLASSES, 1.0, 0.0) for i in ids.tolist()),
            "annotators": lambda: {"ann": 0, "bob": 1, "cid": 2},
            "head": lambda: lambda z: z @ torch.randn(WIDTH, CLASSES, generator=seeded(3)) / 8,
            "network": lambda: SceneNetwork(self.embedding, CLASSES),
        }
        return makers[need.name]()

    def draws(self, need: Need, ids: Tensor) -> Tensor:
        """(n, K, C) logits of K functions."""
        out = torch.empty(len(ids), int(need["draws"]), CLASSES)
        for draw in range(out.shape[1]):
            plane = torch.randn(WIDTH, CLASSES, generator=seeded(10 + draw)) / 8
            out[:, draw] = self.logits[ids] + self.embedding[ids] @ plane
        return out


def seeded(number: int) -> Generator:
    return Generator().manual_seed(number)


def strategy_of(name: str) -> Strategy:
    """The strategy with its usual numbers."""
    found: Strategy = parse("strategies", SETTINGS.get(name, name))
    return found


def grown(times: Mapping[int, float], size: int) -> float:
    """Seconds to expect at a size, from the two before it; linear where there is one."""
    known = sorted(times)
    power = max(1.0, exponent(times)) if len(known) > 1 else 1.0
    return times[known[-1]] * (size / known[-1]) ** power


def exponent(times: Mapping[int, float]) -> float:
    """By what power seconds grow between the two largest sizes."""
    small, large = sorted(times)[-2:]
    return log10(times[large] / times[small]) / log10(large / small)


def measure(name: str, sizes: Sequence[int], most: float) -> dict[str, Any]:
    """Seconds and memory at each size, and those of the plain version and of packages."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    strategy, times, memory, others = strategy_of(name), dict[int, float](), dict[int, float](), dict[str, Any]()
    facts: dict[str, Any] = {"times": times, "memory": memory, "others": others, "inputs": 0}
    for size in sizes:
        if times and grown(times, size) > most:
            return facts | {"guess": {size: grown(times, size)}}
        pool = Pool(size)
        view, asked = pool.view(strategy.needs), FEW.get(name, ASKED)
        inputs = sum(value.nbytes for value in map(view.__getitem__, strategy.needs) if isinstance(value, Tensor))
        facts["inputs"] = inputs
        run = partial(strategy.select, view, asked, seeded(0))
        with peak() as rise:
            times[size] = seconds(run)
        if times[size] < QUICK:
            times[size] = seconds(run)
        memory[size] = rise[0] / inputs if inputs else rise[0]
        if straight.available(name):
            compare(name, pool.view(tuple({*strategy.needs, *COMMON})), asked, times[size], others)
    return facts | {"guess": {}}


def compare(name: str, view: View, asked: int, ours: float, others: dict[str, Any]) -> None:
    """Times the plain version and the packages on this view, where they are expected to finish."""
    for other, run in straight.available(name).items():
        before = others.setdefault(other, {})
        if before and grown({size: theirs for size, (theirs, _) in before.items()}, len(view)) > BESIDE:
            continue
        if straight.memory(other, name, view, asked) < MOST_BYTES:
            try:
                before[len(view)] = seconds(partial(run, view, asked, seeded(0))), ours
            except Exception as error:
                print(f"{REFUSED}{other} for {name}: {type(error).__name__}: {error}", file=sys.stderr)


def row(name: str, found: Mapping[str, Any], sizes: Sequence[int]) -> str:
    """One line of the table."""
    times = {int(size): value for size, value in found["times"].items()}
    guess = {int(size): value for size, value in found["guess"].items()}
    figures = [figure(times.get(size), guess.get(size)) for size in sizes]
    growth = f"{exponent(times):.2f}" if len(times) > 1 else ""
    largest = max(found["memory"], key=int)
    most = found["memory"][largest]
    memory = f"{most:.2f}" if found["inputs"] else f"{most / 1e6:.1f} MB"
    beside = [ratio(other, values) for other, values in found["others"].items() if values]
    return f"| {' | '.join([name, *figures, growth, memory, *columns(beside)])} |"


def columns(beside: Sequence[str]) -> tuple[str, str]:
    """The plain version, and the packages."""
    plain = [text.removeprefix("plain ") for text in beside if text.startswith("plain ")]
    return "".join(plain), ", ".join(text for text in beside if not text.startswith("plain "))


def figure(time: float | None, guess: float | None) -> str:
    return f"{time:.3g}" if time is not None else f"≈ {guess:.0f}" if guess is not None else ""


def ratio(other: str, values: Mapping[str, tuple[float, float]]) -> str:
    """How many times as long another one takes, at the largest size that it finished."""
    size = max(values, key=int)
    theirs, ours = values[size]
    return f"{other} {theirs / ours:.1f}× at {int(size):.0e}".replace("e+0", "e")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="strategies; all of them unless given")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--most", type=float, default=MOST_SECONDS, help="CPU-seconds beyond which it is estimated")
    parser.add_argument("--measure", action="store_true", help="measure the one strategy and print JSON")
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.names[0], given.sizes, given.most)))
        return 0
    head = ["strategy", *[f"{size:.0e}".replace("e+0", "e") for size in given.sizes], "growth", "peak / inputs"]
    print(f"| {' | '.join([*head, 'plain', 'packages'])} |\n|{'---|' * (len(head) + 2)}", flush=True)
    for name in given.names or sorted(catalogue("strategies")):
        limits = ["--most", str(given.most), "--sizes", *map(str, given.sizes)]
        command = [sys.executable, __file__, name, "--measure", *limits]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(*[line for line in done.stderr.splitlines() if line.startswith(REFUSED)], sep="\n", file=sys.stderr)
        print(row(name, json.loads(done.stdout), given.sizes) if done.returncode == 0 else failed(name, done.stderr))
        sys.stdout.flush()
    return 0


def failed(name: str, said: str) -> str:
    """The line of a strategy that did not run, with its last sentence."""
    last = said.strip().splitlines()[-1] if said.strip() else "no message"
    return f"| {name} | {last[:200].replace('|', '/')} |"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AskwellError as error:
        sys.exit(str(error))
