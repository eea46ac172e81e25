"""Learned policies on a task that they were not trained on: trained against untrained, paired over 20 seeds.

    python benchmarks/policies.py

PAL learns on the questions of trec6 and chooses reviews of mr; RAL learns on scikit-learn's digits and chooses those
of mnist. Data come from $ASKWELL_DATA. Trainings and runs lie below --out; the same command goes on where it was. It
writes docs/results/policies.md and docs/results/policies.png.
"""

from __future__ import annotations

import argparse
import platform
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import askwell as aw
from askwell.engine.draw import COLOURS, bands
from askwell.engine.train_policy import TrainedPolicy, train_policy
from askwell.metrics import area, mean_interval, paired_interval

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"


@dataclass(frozen=True)
class Study:
    """One policy: what it learns on, what it is used on, and how both are done."""

    kind: str
    learnt_on: str
    used_on: str
    episodes: int
    parts: dict[str, Any]
    numbers: dict[str, Any]
    training: dict[str, Any]
    using: dict[str, Any]
    learning: dict[str, Any]
    loading: dict[str, Any] = field(default_factory=lambda: {"pool_size": 1000, "test_size": 1000})

    def policy(self, out: Path, episodes: int) -> TrainedPolicy:
        """The policy after this many episodes."""
        return train_policy(
            self.kind, self.learnt_on, out=out / f"{self.kind}-{episodes}", episodes=episodes, numbers=self.numbers,
            loading=self.learning, **self.parts, **self.training,
        )  # fmt: skip

    def curves(self, out: Path, seeds: int) -> tuple[TrainedPolicy, dict[str, Any]]:
        """The trained policy, and the curves of all arms by seed."""
        trained, first = self.policy(out, self.episodes), self.policy(out, 0)
        how = {**self.parts, **self.using, **self.loading, "seeds": seeds, "out": out / "runs"}
        with_policy = aw.run(self.used_on, strategy=trained.strategy, against="random", **how).curves()
        without = aw.run(self.used_on, strategy=first.strategy, against=None, **how).curves()
        return trained, {
            "trained": with_policy[self.kind], "untrained": without[self.kind], "random": with_policy["random"]
        }  # fmt: skip


STUDIES = (
    Study(
        "pal", "trec6", "mr", 40,
        parts={"learner": "linear(l2=0.1)"},
        numbers={"budget": 25, "lr": 1e-3, "epsilon": 0.5, "last_epsilon": 0.05, "explore": 2000, "filters": 32},
        training={},
        using={"initial": 20, "batch": 20, "rounds": 6},
        learning={"pool_size": 400, "validation_size": 400},
    ),
    Study(
        "ral", "digits", "mnist", 40,
        parts={"model": "mlp(width=64, depth=1)", "scheme": "moment_matching(epochs=20)"},
        numbers={"divergence": 1e-6, "lr": 3e-3},
        training={"initial": 20, "batch": 5, "rounds": 6},
        using={"initial": 20, "batch": 5, "rounds": 6},
        learning={"pool_size": 600},
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "policies", help="Trainings and runs.")
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = [(study, *study.curves(given.out, given.seeds)) for study in STUDIES]
    _picture(found).savefig(RESULTS / "policies.png", dpi=110, metadata={"Software": None})
    (RESULTS / "policies.md").write_text(_page(found, given.seeds), encoding="utf-8")
    print(RESULTS / "policies.md")


def _page(found: list[tuple[Study, TrainedPolicy, dict[str, Any]]], seeds: int) -> str:
    """The results as Markdown."""
    rows = [_row(study, trained, curves) for study, trained, curves in found]
    head = ["policy", "trained on", "used on", "return at first", "at last", "trained", "untrained", "random",
            "trained − untrained", "trained − random"]  # fmt: skip
    lines = [
        "# Learned policies on a task that they were not trained on",
        "",
        "`python benchmarks/policies.py` makes this page. Each policy is trained by `askwell train-policy` on one set",
        f"and then chooses on another, over {seeds} seeds; the untrained policy is the same network with the weights",
        "that the training began with. All arms of a seed share its first labels. Areas are those under the curve of",
        "accuracy over labels; differences are means over the seeds with their paired 95 % t-interval",
        "(`askwell.metrics.paired_interval`); returns are means of the first and the last quarter of the episodes.",
        "Each policy was trained once: the intervals are over seeds of its use, not of its training.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        *(_verdict(study, curves, other) for study, _, curves in found for other in ("untrained", "random")),
        "",
        "![Returns of the episodes, and accuracy over labels](policies.png)",
        "",
        "Left: the return of every episode (points) and its mean over ten (line). Right: accuracy over labels on the",
        "other task, with the 95 % t-interval of each arm.",
        "",
        f"{date.today().isoformat()}, {platform.machine()}, Python {platform.python_version()}, one thread. Numbers of",
        "the trainings:",
        "",
        *(f"- `{study.kind}`: {_numbers(study)}" for study, _, _ in found),
    ]
    return "\n".join(lines) + "\n"


def _row(study: Study, trained: TrainedPolicy, curves: dict[str, Any]) -> list[str]:
    quarter = max(1, len(trained.returns) // 4)
    areas = {arm: [area(curve) for curve in seeds] for arm, seeds in curves.items()}
    means = ["{:.4f} ± {:.4f}".format(*mean_interval(areas[arm])) for arm in ("trained", "untrained", "random")]
    ends = [f"{np.mean(part):.3f}" for part in (trained.returns[:quarter], trained.returns[-quarter:])]
    gaps = [str(paired_interval(areas["trained"], areas[other])) for other in ("untrained", "random")]
    return [f"`{study.kind}`", study.learnt_on, study.used_on, *ends, *means, *gaps]


def _verdict(study: Study, curves: dict[str, Any], other: str) -> str:
    found = paired_interval(*([area(curve) for curve in curves[arm]] for arm in ("trained", other)))
    said = "gains" if found.low > 0 else "loses" if found.high < 0 else "neither gains nor loses beyond chance"
    against = "random choice" if other == "random" else "the untrained one"
    return f"- `{study.kind}`: on {study.used_on} the trained policy {said} against {against}."


def _numbers(study: Study) -> str:
    told = {"episodes": study.episodes, **study.parts, **study.numbers, **study.training, **study.learning}
    used = {**study.using, **study.loading}
    return f"{_told(told)}; used with {_told(used)}."


def _told(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _picture(found: list[tuple[Study, TrainedPolicy, dict[str, Any]]]) -> Figure:
    """Returns on the left, learning curves on the right; a row for each policy."""
    figure = Figure(figsize=(10, 3.4 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 2, squeeze=False)
    for (study, trained, curves), (left, right) in zip(found, axes, strict=True):
        returns = np.array(trained.returns)
        left.plot(np.arange(1, len(returns) + 1), returns, ".", color=COLOURS[0], alpha=0.6)
        span = min(10, len(returns))
        running = np.convolve(returns, np.ones(span) / span, "valid")
        left.plot(np.arange(span, len(returns) + 1), running, color=COLOURS[1])
        left.set(title=f"{study.kind} learns on {study.learnt_on}", xlabel="episode", ylabel="return")
        for colour, (arm, band) in zip(COLOURS, bands(curves).items(), strict=False):
            right.plot(band.labels, band.mean, color=colour, label=arm)
            right.fill_between(band.labels, band.mean - band.half, band.mean + band.half, color=colour, alpha=0.15)
        right.set(title=f"{study.kind} chooses on {study.used_on}", xlabel="labels", ylabel="accuracy")
        right.legend(frameon=False)
        for axis in (left, right):
            axis.grid(alpha=0.25, linewidth=0.6)
            axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    start = process_time()
    main()
    print(f"{process_time() - start:.0f} CPU-seconds")
