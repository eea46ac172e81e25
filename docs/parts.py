"""Writes docs/parts.md from the parts themselves: `make docs`. A test compares the two."""

from __future__ import annotations

from pathlib import Path

from askwell.cli.parts import KINDS, Part, parts

HEAD = """# All parts

Written from docstrings and fields by `make docs`; `askwell show NAME` tells more. N candidates, M labelled, Q asked,
C classes, K draws, D width ([letters](shapes.md)).
"""
PAGES = {
    "strategies": "strategies.md", "managers": "streams.md", "schemes": "schemes.md", "learners": "learners.md",
    "models": "learners.md", "tasks": "tasks.md", "oracles": "oracles.md", "recipes": "recipes.md",
}  # fmt: skip


def entry(part: Part) -> str:
    """One part as an item of a list."""
    facts = [f"needs {part.needs}" if part.needs else "", part.cost, part.paper]
    below = " · ".join(fact for fact in facts if fact)
    return f"- **{part.name}**: {part.summary}" + (f"\n  {below}" if below else "")


def page() -> str:
    """The whole page."""
    blocks = [
        f"\n## {kind.capitalize()}\n\nSee [{PAGES[kind]}]({PAGES[kind]}).\n\n"
        + "\n".join(map(entry, parts(kind)))
        + "\n"
        for kind in KINDS
    ]
    return HEAD + "".join(blocks)


if __name__ == "__main__":
    (Path(__file__).parent / "parts.md").write_text(page(), encoding="utf-8")
