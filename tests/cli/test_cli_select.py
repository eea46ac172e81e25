"""`askwell select`: ids from arrays on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]
PROBS = np.array([[0.9, 0.1], [0.5, 0.5], [0.7, 0.3], [0.6, 0.4]])


@pytest.fixture
def probs(tmp_path: Path) -> Path:
    np.save(tmp_path / "p.npy", PROBS)
    return tmp_path / "p.npy"


def test_ids_are_printed_the_most_wanted_first(askwell: Run, probs: Path) -> None:
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 3)
    assert (done.code, done.out, done.err) == (0, "1\n3\n2\n", "")


def test_ids_can_be_ones_own(askwell: Run, probs: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("ant\nbee\ncat\ndog\n")
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 2, "--ids", tmp_path / "ids.txt")
    assert done.out == "bee\ndog\n"
    np.save(tmp_path / "ids.npy", np.array([10, 20, 30, 40]))
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 2, "--ids", tmp_path / "ids.npy")
    assert done.out == "20\n40\n"


def test_ids_can_go_to_a_file(askwell: Run, probs: Path, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 2, "--out", file)
    assert done.out == f"2 ids in {file}\n"
    assert file.read_text() == "1\n3\n"
    assert sorted(askwell("select", "--ids", file, "--strategy", "random", "-n", 2).out.split()) == ["1", "3"]


def test_json_and_quiet(askwell: Run, probs: Path, tmp_path: Path) -> None:
    args = ("select", "--probs", probs, "--strategy", "margin", "-n", 2)
    assert json.loads(askwell(*args, "--json").out) == {"ids": [1, 3]}
    assert askwell(*args, "--quiet").out == "1\n3\n"
    file = tmp_path / "ids.txt"
    assert json.loads(askwell(*args, "--out", file, "--json").out) == {"ids": [1, 3], "out": str(file)}
    assert askwell(*args, "--out", file, "--quiet").out == f"{file}\n"


def test_the_seed_decides(askwell: Run, probs: Path) -> None:
    outs = {askwell("select", "--probs", probs, "--strategy", "random", "-n", 4, "--seed", n).out for n in (0, 0, 1, 2)}
    assert 1 < len(outs) <= 3


def test_too_many_are_refused(askwell: Run, probs: Path) -> None:
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 5)
    assert (done.code, done.err) == (4, "error: cannot choose 5 items from 4 candidates: ask for 1 to 4\n")


def test_what_is_missing_is_named(askwell: Run, probs: Path, tmp_path: Path) -> None:
    done = askwell("select", "--probs", probs, "--strategy", "badge", "-n", 2)
    assert done.code == 3
    assert "embedding" in done.err
    done = askwell("select", "--probs", tmp_path / "no.npy", "--strategy", "margin", "-n", 2)
    assert (done.code, done.err) == (2, f"error: probs: there is no file {tmp_path / 'no.npy'}\n")
    done = askwell("select", "--probs", probs, "--strategy", "margin", "-n", 2, "--ids", tmp_path / "no.txt")
    assert done.code == 2
    assert done.err.startswith(f"error: ids: cannot read {tmp_path / 'no.txt'}: ")


def test_labels_and_numbers_have_their_own_tensors(askwell: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", np.array([[0.5, 1.0], [0.2, 0.8], [0.9, 0.9]]))
    done = askwell("select", "--label-probs", tmp_path / "labels.npy", "--strategy", "binary_entropy", "-n", 2)
    assert (done.code, done.out) == (0, "1\n0\n")
    np.save(tmp_path / "draws.npy", np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 9.0]]))
    named = ("--strategy", "predictive_variance(draws=2)")
    assert askwell("select", "--mc-predictions", tmp_path / "draws.npy", *named, "-n", 1).out == "2\n"
    np.save(tmp_path / "y.npy", np.array([3.0, -6.0, 2.0]))
    np.save(tmp_path / "known.npy", np.array([0.0, 4.0]))
    given = ("--predictions", tmp_path / "y.npy", "--labels", tmp_path / "known.npy")
    done = askwell("select", *given, "--strategy", "greedy_sampling(over=outputs)", "-n", 1)
    assert (done.code, done.out) == (0, "1\n")
