"""`askwell export`: questions and answers as a table, or the model as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from askwell.cli.options import Project
from askwell.cli.output import Answer
from askwell.errors import InputError

__all__ = ["export"]


def export(
    project: Project,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file for questions and answers.")] = None,
    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None, typer.Option(help="By the ending of the file unless given.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="The folder for the model: weights, classes, metrics, card.")
    ] = None,
) -> Answer:
    """Write all questions and answers of a project, its model, or both.

    Items are named by your own ids. The model's weights are safetensors, those of scikit-learn skops; never a pickle.
    """
    from askwell.engine.project import Project
    from askwell.engine.threads import threads_of

    if out is None and model is None:
        raise InputError("nothing to export: give --out FILE for questions and answers, --model FOLDER for the model")
    written: dict[str, Path] = {}
    with threads_of(project), Project.open(project, mode="ro") as opened:
        if out is not None:
            written["out"] = opened.export(out, format)
        if model is not None:
            written["model"] = opened.export_model(model)
    paths = "\n".join(map(str, written.values()))
    return Answer({"project": project, **written}, paths, paths)
