"""`askwell train-policy`: a policy in a folder, and how it is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]
SMALL = (
    "--episodes", 2, "--initial", 10, "--batch", 5, "--rounds", 1, "--pool-size", 120, "--model",
    "mlp(width=8, depth=1)", "--scheme", "moment_matching(epochs=2)", "--set", "slots=6,hidden=8", "--set", "lr=1e-2",
)  # fmt: skip


def test_a_policy_is_trained_and_used(askwell: Run, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    done = askwell("train-policy", "ral", "digits", "--out", folder, *SMALL)
    assert done.code == 0, done.err
    assert f"--strategy \"ral(policy='{folder}', slots=6)\"" in " ".join(done.out.split())
    told = json.loads(askwell("train-policy", "ral", "digits", "--out", folder, *SMALL, "--json").out)
    assert len(told["returns"]) == 2
    assert told["digest"][:12] in done.out
    assert told["policy"] == f"ral(policy='{folder}', slots=6)"
    used = askwell(
        "run", "digits", "--recipe", "ral", "--strategy", told["policy"], "--against", "none",
        "--model", "mlp(width=8, depth=1)", "--scheme", "moment_matching(epochs=2)", "--initial", 10, "--batch", 5,
        "--rounds", 1, "--pool-size", 120, "--out", tmp_path / "runs", "--json",
    )  # fmt: skip
    assert used.code == 0, used.err


def test_numbers_are_named(askwell: Run, tmp_path: Path) -> None:
    done = askwell("train-policy", "ral", "digits", "--out", tmp_path / "policy", "--set", "lr")
    assert (done.code, done.err) == (2, "error: cannot read 'lr': write --set name=number, such as lr=0.001\n")
    done = askwell("train-policy", "dqn", "digits", "--out", tmp_path / "policy")
    assert done.code == 2
    assert "'dqn' is not one of 'pal', 'ral'" in done.err


def test_the_first_policy_has_no_returns(askwell: Run, tmp_path: Path) -> None:
    done = askwell("train-policy", "ral", "digits", "--out", tmp_path / "policy", *SMALL, "--episodes", 0, "--quiet")
    assert (done.code, done.out, done.err) == (0, f"{tmp_path / 'policy'}\n", "")
