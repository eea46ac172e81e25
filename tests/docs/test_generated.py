"""Pages that are written from the code say what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from askwell.core.registry import catalogue

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["commands", "parts"])
def test_the_page_is_what_the_code_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = runpy.run_path(str(DOCS / f"{name}.py"))["page"]
    assert page() == (DOCS / f"{name}.md").read_text(encoding="utf-8"), "run `make docs`"


def test_every_strategy_is_drawn_or_the_page_says_why_not() -> None:
    section = (DOCS / "strategies.md").read_text(encoding="utf-8").partition("## What each one picks")[2]
    drawn = {name.strip() for names in re.findall(r"!\[([^\]]*)\]", section) for name in names.split(",")}
    refused = set(re.findall(r"^- `(\w+)`: ", section, re.MULTILINE))
    assert drawn | refused == set(catalogue("strategies")), "run `make pictures`"
