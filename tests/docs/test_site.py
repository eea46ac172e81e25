"""The site builds without a warning, explains every error, and shows code of others that runs."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from askwell import errors

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(r'^```python title="(?!askwell)(\w+)"\n(.*?)^```', re.MULTILINE | re.DOTALL)
COMING = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
SHARED = re.search(r"^```python\n(.*?)^```", COMING, re.MULTILINE | re.DOTALL)


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "api.html").read_text(encoding="utf-8")
    assert "Starts a project in an empty folder" in page


def test_the_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for page in tmp_path.glob("*.html"):
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text(encoding="utf-8"))
        assert not loaded, f"{page.name} loads {loaded}"


def test_docstrings_become_tables_and_code() -> None:
    pytest.importorskip("griffe")
    markdown = runpy.run_path(str(ROOT / "docs" / "docstrings.py"))["markdown"]
    assert markdown("Adds.\n\na  first\nb  second,\n   in <full>\nand so on\n\n>>> 1 + 1\n2") == (
        "Adds.\n\n| | |\n|---|---|\n| `a` | first |\n| `b` | second, in &#60;full&#62; |\n\nand so on\n\n"
        "```python\n>>> 1 + 1\n2\n```"
    )


def test_every_error_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    explained = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert sorted(explained) == sorted(errors.__all__)


@pytest.mark.parametrize(("library", "code"), FOREIGN.findall(COMING), ids=lambda value: value[:12].split("\n")[0])
def test_the_code_of_others_runs(library: str, code: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    assert SHARED is not None
    exec(compile(SHARED[1] + code, library, "exec"), {})


def test_all_libraries_are_shown_beside_ours() -> None:
    assert [library for library, _ in FOREIGN.findall(COMING)] == ["modAL", "skactiveml", "small_text", "baal"]
