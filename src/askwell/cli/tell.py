"""`askwell tell`: answers from a table that people have filled in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from askwell.cli.options import Annotator, Encoding, Project
from askwell.cli.output import Answer, counted

__all__ = ["tell"]


def tell(
    project: Project,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A sheet of `askwell ask`, or any table with its columns.")
    ],
    annotator: Annotator = "me",
    correct: Annotated[bool, typer.Option(show_default=False, help="Other answers than before replace those.")] = False,
    volunteer: Annotated[
        bool, typer.Option(show_default=False, help="Keep labels of items that were not asked, named by id.")
    ] = False,
    encoding: Encoding = None,
) -> Answer:
    """Record the answers of a table: all of them, or none.

    Takes .csv (with commas, semicolons or tabs), .tsv and .jsonl with the column `label`, and `question` or `id`.

    A label is a class; several as a|b or a;b, [] for none of them; or a number. Empty: no answer yet; a question mark:
    cannot tell; a minus or skip: not wanted. The same file again changes nothing.
    """
    from askwell.engine.project import Project
    from askwell.engine.telling import tell_sheet
    from askwell.engine.threads import threads_of

    with threads_of(project), Project.open(project) as opened:
        told = asdict(
            tell_sheet(opened, file, annotator=annotator, correct=correct, volunteer=volunteer, encoding=encoding)
        )
        items = opened.store.counts()
    words = ", ".join(f"{count} {name}" for name, count in told.items() if count)
    labelled, waiting = counted(items["answered"], "item"), counted(items["out"], "question")
    return Answer(
        {"project": project, "annotator": annotator, **told, "items": items},
        f"{words}; labelled: {labelled}, open: {waiting}",
    )
