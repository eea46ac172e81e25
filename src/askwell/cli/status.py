"""`askwell status`: where a project stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from askwell.cli.output import say, table

__all__ = ["status"]


def status(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project folder, such as runs/<name>/seed-0.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show where a project stands.

    Items by state, rounds, cost, and how good its model is.
    """
    from askwell.engine.status import status as find_out

    found = find_out(project)
    say(json.dumps(found, indent=1) if as_json else table([(name, _plain(value)) for name, value in found.items()]))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
