"""`askwell show`: one part in full."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from askwell.cli.output import Answer, table
from askwell.cli.parts import Part, named

__all__ = ["show"]


def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help='A name of `askwell list`, module:Class, or "margin | power".')
    ],
) -> Answer:
    """Show one part in full.

    What it does and needs, its cost, its paper and its settings; of a recipe its parts and how it departs from the
    paper; of strategies joined by | what they are together.
    """
    found = named(name)
    return Answer({"parts": [asdict(part) for part in found]}, "\n".join(map(_page, found)), name)


def _page(part: Part) -> str:
    facts = [("needs", part.needs), ("cost", part.cost), ("paper", part.paper), ("survey", part.survey)]
    recipe = part.kind == "recipe"
    deviations = [("-", deviation) for deviation in part.deviations] or ([("-", "none known")] if recipe else [])
    settings = [
        (setting.name, setting.default + (f"  ({setting.type})" if setting.type else "")) for setting in part.settings
    ]
    blocks = [
        f"{part.name} ({part.kind})\n{part.summary}".rstrip(),
        part.text,
        table([(word, meaning) for word, meaning in facts if meaning]),
        ("parts\n" if recipe else "settings\n") + table(settings, "  ") if settings else "",
        "deviations\n" + table(deviations, "  ") if deviations else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
