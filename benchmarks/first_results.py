"""A new user's first results, from an empty environment: a folder of pictures, a CSV of texts, a network of one's own.

    python benchmarks/first_results.py

Builds the wheel, makes an empty environment, and writes a folder of pictures and a CSV of texts from the sets below
$ASKWELL_DATA, as somebody's own files would lie. Then it times the installation and each first result.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from askwell.data import load

ROOT = Path(__file__).parents[1]
PICTURES, TEXTS = 2500, 3000
NETWORK = """
import askwell as aw
from torch import nn

def net(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, outputs))

result = aw.run("photos", model=net, strategy="bald", initial=50, batch=50, rounds=5)
print(result.verdict)
"""
RESULTS = {
    "a folder of pictures": ["askwell", "run", "photos", "--initial", "50", "--batch", "50", "--rounds", "5", "--json"],
    "a CSV of texts": ["askwell", "run", "texts.csv", "--initial", "50", "--batch", "50", "--rounds", "5", "--json"],
    "one's own network, seven lines": ["python", "first.py"],
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write_pictures(place / "photos")
        _write_texts(place / "texts.csv")
        (place / "first.py").write_text(NETWORK)
        wheel = _wheel(place)
        print("| what | seconds | ends with |")
        print("|---|---|---|")
        print(f"| installation | {_timed(lambda: _install(place, wheel))[0]:.0f} | |")
        for what, command in RESULTS.items():
            seconds, said = _timed(lambda command=command: _run(place, command))
            verdict = json.loads(said)["verdict"] if said.startswith("{") else said.strip()
            print(f"| {what} | {seconds:.0f} | {verdict} |", flush=True)


def _write_pictures(folder: Path) -> None:
    """PNG files of Fashion-MNIST, one folder per class."""
    data = load("fashion_mnist", pool_size=PICTURES, test_size=0)
    assert data.labels is not None
    for position in data.split.candidates.tolist():
        path = folder / data.classes[data.labels[position]].replace("/", "-") / f"{position:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(data.pool.item(position))).save(path)


def _write_texts(path: Path) -> None:
    """Questions of TREC with their classes."""
    data = load("trec6", pool_size=TEXTS, test_size=0)
    assert data.labels is not None
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for position in data.split.candidates.tolist():
            writer.writerow([data.pool.item(position), data.classes[data.labels[position]]])


def _wheel(place: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(place / "dist"), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next((place / "dist").glob("*.whl"))


def _install(place: Path, wheel: Path) -> str:
    pip = [
        str(place / "env" / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    subprocess.run([sys.executable, "-m", "venv", str(place / "env")], check=True)
    subprocess.run([*pip, "torch==2.13.0"], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    return ""


def _run(place: Path, command: list[str]) -> str:
    program = str(place / "env" / "bin" / command[0])
    environment = {**os.environ, "XDG_CACHE_HOME": str(place / "cache")}
    done = subprocess.run(
        [program, *command[1:]], cwd=place, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def _timed(work) -> tuple[float, str]:
    start = time.perf_counter()
    said = work()
    return time.perf_counter() - start, said


if __name__ == "__main__":
    main()
