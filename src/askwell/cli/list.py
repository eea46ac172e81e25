"""`askwell list`: the parts that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Annotated

import typer

from askwell.cli.output import Answer, grid, width
from askwell.cli.parts import KINDS, Part, parts

__all__ = ["list_parts"]

TITLES: Mapping[str, str] = {
    "score": "SCORES", "set": "SETS", "prefilter": "PREFILTERS", "selector": "SELECTORS", "": "CANNOT BE IMPORTED",
}  # fmt: skip
"""Headings of strategies, by role."""


def list_parts(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}; all without it.")
    ] = None,
) -> Answer:
    """List the parts that there are.

    Strategies with the numbers of their systems in the survey, what they need and cost, by what they are in a
    composition. Parts that other installed packages announce are among them.
    """
    found = {room: parts(room) for room in ([kind] if kind else KINDS)}
    inner = max(len(part.name) for listed in found.values() for part in listed) + 4
    blocks = [
        f"{room}\n{_strategies(listed)}\n"
        if room == "strategies"
        else "\n".join([room, *(_entry(part, inner) for part in listed)]) + "\n"
        for room, listed in found.items()
    ]
    return Answer(
        {room: [asdict(part) for part in listed] for room, listed in found.items()},
        "\n".join(blocks),
        "\n".join(part.name for listed in found.values() for part in listed),
    )


def _strategies(listed: Sequence[Part]) -> str:
    """A table by roles."""
    rows = [("name", "survey", "needs", "cost")]
    for role, title in TITLES.items():
        of_role = [(part.name, part.survey, part.needs, part.cost) for part in listed if part.role == role]
        rows += [(title, "", "", ""), *of_role] if of_role else []
    return grid(rows, width())


def _entry(part: Part, inner: int) -> str:
    """Name and summary, and below them needs, cost and paper, from column `inner` on."""
    facts = [fact for fact in (f"needs {part.needs}" if part.needs else "", part.cost, part.paper) if fact]
    space = " " * inner
    lines = [
        wrap(text, width(), initial_indent=space, subsequent_indent=space) for text in (part.summary, " · ".join(facts))
    ]
    return f"  {part.name}".ljust(inner) + "\n".join(line for block in lines for line in block)[inner:]
