"""Whole runs: where the seconds go, and how they compare with a plain loop and with the best public package.

    python benchmarks/rounds.py            prints a Markdown table; exits with 1 if a gate fails

Every row trains the same network on the same 3,000 items for the same epochs, in this process, with one thread, in
process CPU-seconds; the others' network lies in torch's default memory layout. "plain" is the straightforward loop: a
DataLoader, a forward pass per draw, everything scored each round. "baal" is baal 2.1.0, where it is installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset

from askwell.data import Data, load
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.models import SmallCNN
from askwell.oracles import Truth
from askwell.schemes import Supervised

BATCH, DRAWS, LR = 32, 20, 1e-3
GATES = {"entropy": 1.2, "bald": 3.0, "badge": 1.2, "coreset": 1.2}
SLACK = 0.7


@dataclass(frozen=True)
class Setting:
    """What all loops share."""

    data: Data
    initial: int
    asked: int
    rounds: int
    epochs: int

    @property
    def model(self) -> SmallCNN:
        return SmallCNN()

    def network(self) -> nn.Module:
        """The network as people write it, in torch's own memory layout."""
        torch.manual_seed(0)
        net = self.model.build(self.data.pool.form, len(self.data.classes))
        return net.to(memory_format=torch.contiguous_format)

    def tensors(self, part: str = "candidates") -> TensorDataset:
        """Items and labels of one part."""
        ids = getattr(self.data.split, part)
        items = [batch for _, batch in self.data.pool.items("eval").batches(torch.from_numpy(ids), 1000)]
        return TensorDataset(torch.cat(items), torch.as_tensor(np.asarray(self.data.labels)[ids]).long())


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ours(setting: Setting, strategy: str) -> dict[str, float]:
    """Wall-clock seconds by part of one run."""
    scheme = Supervised(
        epochs=setting.epochs, batch=BATCH, lr=LR, kind="adam", schedule="constant", weight_decay=0.0, stop=()
    )
    labels = setting.data.labels
    assert labels is not None
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(
            Path(folder) / "run", setting.data, strategy=strategy, scheme=scheme, model=setting.model,
            initial=setting.initial, batch=setting.asked, rounds=setting.rounds,
        )  # fmt: skip
        total: dict[str, float] = {}
        for report in rounds(project, Truth(labels)):
            for name, seconds in report.seconds.items():
                total[name] = total.get(name, 0.0) + seconds
    return total


def plain(setting: Setting, strategy: str) -> None:
    """The loop that people write by hand."""
    data, test = setting.tensors(), setting.tensors("test")
    labelled = torch.zeros(len(data), dtype=torch.bool)
    labelled[torch.randperm(len(data))[: setting.initial]] = True
    for turn in range(setting.rounds + 1):
        net = train(setting, data, labelled)
        accuracy(net, test)
        if turn < setting.rounds:
            rows = (~labelled).nonzero()[:, 0]
            labelled[rows[CHOICES[strategy](net, data, rows, labelled, setting.asked)]] = True


def train(setting: Setting, data: TensorDataset, labelled: Tensor) -> nn.Module:
    net = setting.network().train()
    optimiser = torch.optim.Adam(net.parameters(), lr=LR)
    rows = labelled.nonzero()[:, 0].tolist()
    for _ in range(setting.epochs):
        for x, y in DataLoader(Subset(data, rows), BATCH, shuffle=True):
            optimiser.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimiser.step()
    return net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, test: TensorDataset) -> float:
    right = [(net(x).argmax(1) == y).float() for x, y in DataLoader(test, 64)]
    return float(torch.cat(right).mean())


def batches(data: TensorDataset, rows: Tensor) -> DataLoader[Any]:
    return DataLoader(Subset(data, rows.tolist()), 64)


@torch.no_grad()
def plain_entropy(net: nn.Module, data: TensorDataset, rows: Tensor, labelled: Tensor, n: int) -> Tensor:
    p = torch.cat([net(x).softmax(1) for x, _ in batches(data, rows)])
    return torch.special.entr(p).sum(1).argsort(descending=True)[:n]


@torch.no_grad()
def plain_bald(net: nn.Module, data: TensorDataset, rows: Tensor, labelled: Tensor, n: int) -> Tensor:
    for module in net.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.train()
    p = torch.stack([torch.cat([net(x).softmax(1) for x, _ in batches(data, rows)]) for _ in range(DRAWS)], 1)
    score = torch.special.entr(p.mean(1)).sum(1) - torch.special.entr(p).sum(2).mean(1)
    return score.argsort(descending=True)[:n]


@torch.no_grad()
def embed(net: Any, data: TensorDataset, rows: Tensor) -> tuple[Tensor, Tensor]:
    z = torch.cat([net.embed(x)[0] for x, _ in batches(data, rows)])
    return z, net.head(z).softmax(1)


def plain_coreset(net: nn.Module, data: TensorDataset, rows: Tensor, labelled: Tensor, n: int) -> Tensor:
    z, _ = embed(net, data, rows)
    known, _ = embed(net, data, labelled.nonzero()[:, 0])
    distance = torch.cdist(z, known).min(1).values
    picks = []
    for _ in range(n):
        picks.append(int(distance.argmax()))
        distance = torch.minimum(distance, (z - z[picks[-1]]).norm(dim=1))
    return torch.tensor(picks)


def plain_badge(net: nn.Module, data: TensorDataset, rows: Tensor, labelled: Tensor, n: int) -> Tensor:
    z, p = embed(net, data, rows)
    gradient = ((p - F.one_hot(p.argmax(1), p.shape[1]))[:, :, None] * z[:, None]).flatten(1)
    picks = [int(gradient.norm(dim=1).argmax())]
    distance = (gradient - gradient[picks[0]]).pow(2).sum(1)
    while len(picks) < n:
        picks.append(int(torch.multinomial(distance, 1)))
        distance = torch.minimum(distance, (gradient - gradient[picks[-1]]).pow(2).sum(1))
    return torch.tensor(picks)


CHOICES = {"entropy": plain_entropy, "bald": plain_bald, "coreset": plain_coreset, "badge": plain_badge}


def baal(setting: Setting, strategy: str) -> None:
    """The same run by baal: its data set wrapper, its model wrapper, its heuristics."""
    from baal import ModelWrapper
    from baal.active import ActiveLearningDataset, get_heuristic
    from baal.bayesian.dropout import patch_module
    from baal.modelwrapper import TrainingArgs

    data, test = ActiveLearningDataset(setting.tensors()), setting.tensors("test")
    data.label_randomly(setting.initial)
    draws = DRAWS if strategy == "bald" else 1
    for turn in range(setting.rounds + 1):
        net = setting.network()
        if strategy == "bald":
            net = patch_module(net)
        settings = TrainingArgs(
            optimizer=torch.optim.Adam(net.parameters(), lr=LR), criterion=nn.CrossEntropyLoss(), use_cuda=False,
            epoch=setting.epochs, batch_size=BATCH, workers=0,
        )  # fmt: skip
        wrapper = ModelWrapper(net, settings)
        wrapper.train_on_dataset(data)
        wrapper.test_on_dataset(test)
        if turn < setting.rounds:
            scores = wrapper.predict_on_dataset(data.pool, iterations=draws)
            data.label(get_heuristic(strategy)(scores)[: setting.asked].tolist())


def compare(setting: Setting) -> bool:
    """Prints the rows of all strategies; whether every gate holds."""
    names = ["plain", *(["baal"] if find_spec("baal") else [])]
    print("| strategy | askwell | " + " | ".join(f"{name} (ratio)" for name in names) + " | rest / total | gate |")
    print("|---|---|" + "---|" * len(names) + "---|---|")
    good = True
    ours(replace(setting, rounds=1, epochs=1), "margin")
    for strategy, gate in GATES.items():
        seconds, parts = cpu(lambda strategy=strategy: ours(setting, strategy))
        others = {"plain": cpu(lambda strategy=strategy: plain(setting, strategy))[0]}
        if "baal" in names and strategy in ("entropy", "bald"):
            with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
                others["baal"] = cpu(lambda strategy=strategy: baal(setting, strategy))[0]
        share = parts["rest"] / sum(parts.values())
        passed = max(others.values()) / seconds >= gate * SLACK and share < 0.05
        good &= passed
        cells = [f"{others[name]:.1f} ({others[name] / seconds:.1f}x)" if name in others else "-" for name in names]
        print(f"| {strategy} | {seconds:.1f} s | {' | '.join(cells)} | {share:.1%} | {'ok' if passed else 'FAILS'} |")
    return good


def imports() -> bool:
    """Target 5: neither `import askwell` nor its help loads torch."""
    timed = {}
    for name, code in (("askwell", "import askwell"), ("help", HELP), ("torch", "import torch")):
        runs = [_seconds(code) for _ in range(3)]
        timed[name] = sorted(runs)[1]
    bare = sorted(_seconds("") for _ in range(3))[1]
    shares = {name: (timed[name] - bare) / (timed["torch"] - bare) for name in ("askwell", "help")}
    print(f"\nimport askwell {shares['askwell']:.1%}, askwell --help {shares['help']:.1%} of import torch")
    return shares["askwell"] < 0.1 * 1.3


HELP = (
    "import sys; sys.argv = ['askwell', '--help']\nfrom askwell.cli import main\ntry:\n main()\nexcept SystemExit: pass"
)


def _seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = load(options.data, pool_size=options.pool, test_size=1000)
    good = compare(Setting(data, 100, 100, options.rounds, options.epochs))
    return int(not (imports() & good))


if __name__ == "__main__":
    sys.exit(main())
