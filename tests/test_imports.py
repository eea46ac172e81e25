"""What is loaded when: package and help pages are light, and no command loads an extra that it does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from askwell.cli import main
from askwell.cli.edit import EDITS
from askwell.cli.main import COMMANDS

HEAVY = {"torch", "torchvision", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "torchmetrics", "safetensors"}
EXTRAS = {"pandas", "pyarrow", "transformers", "datasets", "skops", "kornia", "IPython"}
HELP = [["--help"], *([name, "--help"] for name in (*COMMANDS, "edit")), *(["edit", name, "--help"] for name in EDITS)]
WATCHED = """
import json, sys
from askwell.cli import main
loaded = {}
for args in json.loads(sys.argv[1]):
    code = main(args)
    assert code == 0, (args, code)
    loaded[" ".join(args)] = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps(loaded), file=sys.stderr)
"""


def loaded(code: str, *args: str) -> dict[str, list[str]]:
    """What a new process has loaded, by what it did."""
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stderr.splitlines()[-1])


def test_the_package_loads_nothing_heavy() -> None:
    code = "import sys, json, askwell; print(json.dumps({'import': list(sys.modules)}), file=sys.stderr)"
    assert set(loaded(code)["import"]) & (HEAVY | EXTRAS) == set()


def test_help_pages_load_nothing_heavy() -> None:
    found = loaded(WATCHED, json.dumps(HELP))
    assert len(found) == len(HELP)
    assert {args: set(names) & (HEAVY | EXTRAS) for args, names in found.items()} == {args: set() for args in found}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project over a table of texts, with a question that is out."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n},{'good' if n % 2 else 'bad'} film number {n}\n" for n in range(30))
    Path("films.csv").write_text(f"id,text\n{rows}")
    assert main(["create", "films", "films.csv", "--key", "id", "--classes", "no,yes", "--strategy", "random"]) == 0
    assert main(["ask", "films", "-n", "1"]) == 0
    Path("answers.csv").write_text("question,label\n1,yes\n")


@pytest.mark.usefixtures("project")
def test_asking_and_telling_load_no_extra() -> None:
    commands = [["status", "films"], ["ask", "films", "-n", "1"], ["tell", "films", "answers.csv"]]
    found = loaded(WATCHED, json.dumps(commands))
    assert {args: set(names) & EXTRAS for args, names in found.items()} == {args: set() for args in found}
