"""`askwell show`: one part in full."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from askwell.cli.output import Answer, table
from askwell.cli.parts import Part, named

__all__ = ["show"]


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `askwell list`, or module:Class.")],
) -> Answer:
    """Show one part in full.

    What it does and needs, its cost, its paper and its settings; of a recipe also how it departs from the paper.
    """
    found = named(name)
    return Answer({"parts": [asdict(part) for part in found]}, "\n".join(map(_page, found)), name)


def _page(part: Part) -> str:
    facts = [("needs", part.needs), ("cost", part.cost), ("paper", part.paper)]
    settings = [
        (setting.name, setting.default + (f"  ({setting.type})" if setting.type else "")) for setting in part.settings
    ]
    blocks = [
        f"{part.name} ({part.kind})\n{part.summary}",
        part.text,
        table([(word, meaning) for word, meaning in facts if meaning]),
        "settings\n" + table(settings, "  ") if settings else "",
        "deviations\n" + table([("-", deviation) for deviation in part.deviations], "  ") if part.deviations else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
