"""A run that is killed at random moments becomes the run that was left alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[2] / "benchmarks" / "kills.py"


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_change_nothing():
    done = subprocess.run([sys.executable, KILLS, "--kills", "10"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.match(r"(\d+) kills over \d+ runs of .* s: (\d+) lost records; every run equals", done.stdout)
    assert counts
    assert int(counts[1]) >= 10
    assert int(counts[2]) == 0
