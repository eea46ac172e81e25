"""Selection kernels against the plain version and the machine's limit: a Markdown table, and gates.

    python benchmarks/kernels.py [--size small|full]

Figures are process CPU-seconds with one thread, median of 3, ours, plain and limit in turn in one process; each kernel
has its own process, whose first run measures memory: the peak of anonymous memory over the inputs. A figure that would
take more than 120 CPU-seconds or 8 GB is estimated from 1 % of the work and marked with ≈. Exit code 1 if a gate
fails; gates have 30 % slack.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import numpy as np  # noqa: E402  # the threads are set first
import peers  # noqa: E402
import plain  # noqa: E402
import torch  # noqa: E402
from torch import Generator, Tensor  # noqa: E402

from askwell.functional.cluster import kmeans_plus_plus  # noqa: E402
from askwell.functional.cover import k_center  # noqa: E402
from askwell.functional.distance import Points  # noqa: E402
from askwell.functional.gradient import Gradients, surprise  # noqa: E402
from askwell.functional.information import bald  # noqa: E402
from askwell.functional.joint import batch_bald  # noqa: E402
from askwell.functional.pick import top  # noqa: E402
from askwell.functional.uncertainty import entropy, least_confidence, margin  # noqa: E402

MOST_SECONDS, MOST_BYTES, SLACK = 120.0, 8e9, 1.3
Run = Callable[..., Any]


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    make    the inputs; `ours`, `plain` and `limit` take them and n
    linear  in what the time grows: 1 % of it is timed for an estimate
    faster  gate: plain / ours is at least this
    within  gate: ours / limit is at most this
    same    gate: ours and plain chose alike
    memory  gate: peak memory is at most this many times the inputs
    """

    name: str
    size: str
    n: int
    make: Callable[[], tuple[Tensor, ...]]
    ours: Run
    plain: Run
    limit: Run
    linear: Literal["rows", "picks"] = "rows"
    faster: float | None = None
    within: float | None = None
    same: Callable[[Any, Any, Tensor], bool] | None = None
    memory: float = 1.0
    repeats: int = 3


def rng() -> Generator:
    return Generator().manual_seed(0)


# Inputs


def probabilities(*shape: int) -> tuple[Tensor]:
    logits = torch.randn(*shape, generator=rng())
    return (logits.mul_(2).softmax(-1),)


def embeddings(rows: int, width: int) -> tuple[Tensor]:
    """Clusters of unequal spread after a rectifier, as a penultimate layer gives; made in place."""
    z = torch.randn(rows, width, generator=rng())
    centres = 2 * torch.randn(100, width, generator=rng())
    for start in range(0, rows, 10_000):
        part = z[start : start + 10_000]
        part.mul_(torch.rand(len(part), 1, generator=rng())).add_(centres[torch.arange(len(part)) % 100]).relu_()
    return (z,)


def gradients(rows: int, width: int, classes: int) -> tuple[Tensor, Tensor]:
    return (*probabilities(rows, classes), *embeddings(rows, width))


def mapped(rows: int, classes: int) -> tuple[Tensor]:
    """Probabilities on disk; the file is unlinked once it is mapped."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        whole = np.lib.format.open_memmap(file.name, "w+", np.float32, (rows, classes))
        for start in range(0, rows, 1_000_000):
            whole[start : start + 1_000_000] = probabilities(min(rows - start, 1_000_000), classes)[0].numpy()
        del whole
        return (torch.from_numpy(np.load(file.name, mmap_mode="c")),)


# Limits


def read(*args: Any) -> Tensor:
    return args[0].sum()


def logarithms(tensor: Tensor, n: int) -> None:
    """One logarithm of every number, in the cache."""
    flat = tensor.reshape(-1)
    out = torch.empty(1 << 17)
    for part in flat.split(1 << 17):
        torch.log(part, out=out[: len(part)])


def product(*args: Any) -> None:
    """One product of 2·N·D·n operations: all rows with n centres."""
    z, n = args[-2:]
    centres, out = z[:n].t().contiguous(), torch.empty(4096, n)
    for part in z.split(4096):
        torch.mm(part, centres, out=out[: len(part)])


def joint_products(mc: Tensor, n: int, samples: int = 1000) -> None:
    """The products and logarithms of the picks whose tables are sampled: two of five with ten classes."""
    draws, classes = mc.shape[1:]
    weights, out = torch.rand(samples, draws), torch.empty(samples, 16 * classes)
    for _ in range(n - 3):
        for part in mc.reshape(-1, draws, 16 * classes):
            torch.mm(weights, part, out=out)
            out.log_()


def same_cover(ours: Any, picks: Tensor, z: Tensor) -> bool:
    """The same rows; where two are equally far up to rounding, either order counts."""
    alike = len(set(ours.rows.tolist()) & set(picks.tolist()))
    nearest = torch.full((len(z),), torch.inf)
    points = Points(z)
    points.lower(nearest, points.take(picks))
    radius = float(nearest.amax()) ** 0.5
    return alike >= 0.99 * len(picks) and abs(ours.radius - radius) <= 1e-3 * radius


def scoring(name: str, score: Callable[[Tensor], Tensor], limit: Run, within: float) -> Cell:
    make, straight = partial(probabilities, 1_000_000, 10), getattr(plain, name.replace(" ", "_"))
    return Cell(name, "1e6 × 10", 1000, make, partial(best, score), straight, limit, within=within)


def streaming(name: str, score: Callable[[Tensor], Tensor]) -> Cell:
    """From a memory map of 1e7 rows; the limit is ten times the same kernel on 1e6 rows in memory."""

    def in_memory(whole: Tensor, part: Tensor, n: int) -> None:
        for _ in range(len(whole) // len(part)):
            best(score, part, n)

    return Cell(
        f"{name}, memory map",
        "1e7 × 10",
        1000,
        lambda: (*mapped(10_000_000, 10), *probabilities(1_000_000, 10)),
        lambda whole, part, n: best(score, whole, n),
        lambda whole, part, n: getattr(plain, name)(whole, n),
        in_memory,
        within=1 / 0.8,
        memory=0.25,
    )


def best(score: Callable[[Tensor], Tensor], p: Tensor, n: int) -> Tensor:
    return top(score(p), n, rng())


def covering(rows: int, n: int, faster: float | None = None, within: float | None = None, repeats: int = 3) -> Cell:
    return Cell(
        "k-center",
        f"{rows:.0e} × 512, b = {n}".replace("e+0", "e"),
        n,
        lambda: embeddings(rows, 512),
        lambda z, n: k_center(Points(z), n, torch.arange(len(z))),
        lambda z, n: plain.k_center(z, n, 0),
        product,
        "picks",
        faster,
        within,
        same_cover,
        repeats=repeats,
    )


def seeding(rows: int, n: int, faster: float | None = None, within: float | None = None, repeats: int = 3) -> Cell:
    return Cell(
        "BADGE",
        f"{rows:.0e} × 512, C = 10, b = {n}".replace("e+0", "e"),
        n,
        lambda: gradients(rows, 512, 10),
        lambda p, z, n: kmeans_plus_plus(Gradients(surprise(p), z), n, rng(), "max"),
        lambda p, z, n: plain.badge(p, z, n, rng()),
        product,
        "picks",
        faster,
        within,
        repeats=repeats,
    )


SMALL = [
    scoring("least confidence", least_confidence, read, 16),
    scoring("margin", margin, read, 28),
    scoring("entropy", entropy, logarithms, 3.6),
    Cell(
        "BALD",
        "1e5 × 20 × 10",
        100,
        lambda: probabilities(100_000, 20, 10),
        partial(best, bald),
        plain.bald,
        logarithms,
        within=2.6,
    ),
    Cell(
        "BatchBALD",
        "1e4 × 100 × 10, b = 5, 1000 samples",
        5,
        lambda: probabilities(10_000, 100, 10),
        lambda mc, n: batch_bald(mc, n, rng(), samples=1000),
        lambda mc, n: plain.batch_bald(mc, n, 1000, rng()),
        joint_products,
        within=1.8,
    ),
    covering(50_000, 100, faster=2.5),
    covering(50_000, 1000, faster=7),
    covering(200_000, 100),
    seeding(50_000, 100, faster=1.8),
    seeding(50_000, 1000, faster=5),
]
FULL = [
    covering(1_000_000, 1000, within=2, repeats=1),
    seeding(1_000_000, 1000, within=3, repeats=1),
    streaming("entropy", entropy),
    streaming("margin", margin),
]
CELLS = {"small": SMALL, "full": SMALL + FULL}


# Measuring one cell, in its own process


def seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def anonymous() -> int:
    """Bytes of memory that belong to no file."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no RssAnon: memory is measured on Linux only")


@contextmanager
def peak() -> Iterator[list[int]]:
    """Samples anonymous memory every millisecond; the list holds its rise."""
    start, found, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            found[0] = max(found[0], anonymous() - start)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def estimate(cell: Cell, run: Run, data: tuple[Tensor, ...]) -> float:
    """CPU-seconds of the whole, from 1 % of the rows or of the picks."""
    if cell.linear == "rows":
        some = tuple(tensor[: len(tensor) // 100] for tensor in data)
        return 100 * seconds(lambda: run(*some, min(cell.n, len(some[0]))))
    few = max(2, cell.n // 100)
    return seconds(lambda: run(*data, few)) * cell.n / few


def measure(cell: Cell) -> dict[str, Any]:
    """Times ours, plain, limit and peers in turn."""
    torch.set_num_threads(1)
    data = cell.make()
    ctypes.CDLL(None).malloc_trim(0)
    with peak() as rise:
        chosen = cell.ours(*data, cell.n)
    runs: dict[str, Run] = {"ours": cell.ours, "limit": cell.limit, "plain": cell.plain}
    found: dict[str, Any] = {"inputs": sum(tensor.nbytes for tensor in data), "peak": rise[0], "estimates": {}}
    for peer in peers.available(cell.name):
        if peer.memory(*data, cell.n) > MOST_BYTES:
            found["estimates"][peer.package] = f"{peer.memory(*data, cell.n) / 1e9:.0f} GB"
        else:
            runs[peer.package] = peer.run
    for name in [name for name in runs if name not in ("ours", "limit")]:
        guess = estimate(cell, runs[name], data)
        if guess > MOST_SECONDS:
            found["estimates"][name] = f"{guess:.0f}"
            del runs[name]
    if cell.same and "plain" in runs:
        found["same"] = cell.same(chosen, cell.plain(*data, cell.n), data[-1])
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(cell.repeats):
        for name, run in runs.items():
            times[name].append(seconds(partial(run, *data, cell.n)))
    return found | {"times": {name: median(each) for name, each in times.items()}}


# The table


def failures(cell: Cell, found: dict[str, Any]) -> list[str]:
    """Gates that the cell misses."""
    times, missed = found["times"], []
    if cell.faster and "plain" in times and times["plain"] / times["ours"] < cell.faster / SLACK:
        missed.append(f"plain / ours below {cell.faster}")
    if cell.within and times["ours"] / times["limit"] > cell.within * SLACK:
        missed.append(f"ours / limit above {cell.within:g}")
    if not found.get("same", True):
        missed.append("other picks than plain")
    if found["peak"] > cell.memory * found["inputs"]:
        missed.append(f"memory above {cell.memory:g} × inputs")
    return missed


def row(cell: Cell, found: dict[str, Any], missed: list[str]) -> str:
    times = found["times"]
    beside = [name for name in (*times, *found["estimates"]) if name not in ("ours", "limit", "plain")]
    columns = [
        cell.name,
        cell.size,
        figure(found, "ours"),
        figure(found, "plain"),
        figure(found, "limit"),
        f"{times['plain'] / times['ours']:.1f}" if "plain" in times else "",
        f"{times['ours'] / times['limit']:.1f}",
        f"{found['peak'] / 1e6:.0f} MB ({found['peak'] / found['inputs']:.2f})",
        ", ".join(f"{name} {figure(found, name)}" for name in dict.fromkeys(beside)),
        "; ".join(missed) or "ok",
    ]
    return f"| {' | '.join(columns)} |"


def figure(found: dict[str, Any], name: str) -> str:
    return f"{found['times'][name]:.3f}" if name in found["times"] else f"≈ {found['estimates'][name]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=sorted(CELLS), default="small")
    parser.add_argument("--cell", type=int, help="measure this one cell and print JSON")
    given = parser.parse_args()
    cells = CELLS[given.size]
    if given.cell is not None:
        print(json.dumps(measure(cells[given.cell])))
        return 0
    head = (
        "kernel | size | ours (CPU-s) | plain | limit | plain / ours | ours / limit | peak (× inputs) | peers | gates"
    )
    print(f"| {head} |\n|{'---|' * (head.count('|') + 1)}", flush=True)
    failed = False
    for index, cell in enumerate(cells):
        command = [sys.executable, __file__, "--size", given.size, "--cell", str(index)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        missed = failures(cell, found)
        failed |= bool(missed)
        print(row(cell, found, missed), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
