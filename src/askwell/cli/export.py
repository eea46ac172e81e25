"""`askwell export`: questions and answers as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from askwell.cli.output import say

__all__ = ["export"]


def export(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project folder, such as runs/<name>/seed-0.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None, typer.Option(help="By the ending of the file unless given.")
    ] = None,
) -> None:
    """Write all questions and answers of a project.

    Items are named by your own ids.
    """
    from askwell.engine.project import Project

    with Project.open(project, mode="ro") as opened:
        say(str(opened.export(out, format)))
