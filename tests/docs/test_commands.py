"""docs/commands.md says what the help pages say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_help_pages_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = runpy.run_path(str(DOCS / "commands.py"))["page"]
    assert page() == (DOCS / "commands.md").read_text(encoding="utf-8"), "run `make docs`"
