"""Running the program: in this process for most tests, in another where the process itself is what is tested."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from askwell.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command returned and wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def askwell(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def run(*args: object) -> Outcome:
        code = main([str(arg) for arg in args])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def python() -> Run:
    """Runs a line of Python in a process of its own."""

    def run(line: str) -> Outcome:
        done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
