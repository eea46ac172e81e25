"""`askwell list`: the parts that there are."""

from __future__ import annotations

from textwrap import wrap
from typing import Annotated

import typer

from askwell.cli.output import say, width
from askwell.cli.parts import KINDS, Part, parts

__all__ = ["list_parts"]


def list_parts(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}; all without it.")
    ] = None,
) -> None:
    """List the parts that there are.

    Those that other installed packages announce are among them.
    """
    for room in [kind] if kind else KINDS:
        say(room)
        for part in parts(room):
            say(_entry(part, width()))
        say()


def _entry(part: Part, columns: int) -> str:
    """Name and summary, and below them needs, cost and paper."""
    facts = [fact for fact in (f"needs {part.needs}" if part.needs else "", part.cost, part.paper) if fact]
    inner = " " * 20
    lines = [
        wrap(text, columns, initial_indent=inner, subsequent_indent=inner) for text in (part.summary, " · ".join(facts))
    ]
    return f"  {part.name:<18}" + "\n".join(line for block in lines for line in block)[20:]
