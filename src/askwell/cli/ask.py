"""`askwell ask`: questions for people, on the screen or as a table to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from askwell.cli.command import Settings
from askwell.cli.options import Annotator, Project
from askwell.cli.output import Answer, columns, counted, width

__all__ = ["ask"]


def ask(
    settings: Settings,
    project: Project,
    n: Annotated[int | None, typer.Option("-n", help="How many; as many as the recipe asks, unless given.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write them there, to be filled in: .csv, .tsv or .jsonl.")
    ] = None,
    annotator: Annotator = "me",
) -> Answer:
    """Ask for labels: the next questions, as a table to fill in.

    Asking again gives the same questions until they are answered; they are held for the annotator for a week.

    Fill in the column `label`: a class; several as a|b, [] for none of them; or a number. A question mark: you cannot
    tell; a minus: you do not want to. The column `note` is yours. Then: askwell tell PROJECT FILE.
    """
    from askwell.engine.asking import ask_sheet
    from askwell.engine.progress import Bars
    from askwell.engine.project import Project
    from askwell.engine.threads import threads_of

    with threads_of(project), Project.open(project) as opened, Bars(settings.quiet) as bars:
        rows = ask_sheet(opened, n, out, annotator=annotator, progress=bars)
    found = {"project": project, "annotator": annotator, "questions": rows, "out": out}
    if out is None:
        return Answer(found, _listed(rows) or "nothing is left to ask", _listed(rows))
    return Answer(found, f"{counted(len(rows), 'question')} in {out}", str(out))


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    scored = any(row["score"] is not None for row in rows)
    return columns(rows, ["question", "id", "item", *["score"] * scored], width()) if rows else ""
