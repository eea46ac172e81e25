"""Pages that are written from the code say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["commands", "parts"])
def test_the_page_is_what_the_code_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = runpy.run_path(str(DOCS / f"{name}.py"))["page"]
    assert page() == (DOCS / f"{name}.md").read_text(encoding="utf-8"), "run `make docs`"
