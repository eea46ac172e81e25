"""`askwell predict`: what a project's model says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askwell.cli.options import Project, Reading
from askwell.cli.output import Answer, columns, counted, width
from askwell.errors import UnknownName

if TYPE_CHECKING:
    from askwell.engine.predict import Predictions

__all__ = ["predict"]


def predict(
    project: Project,
    reading: Reading,
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="New items; those of the project unless given.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write them there, as .csv.")] = None,
) -> Answer:
    """Predict labels with the last trained model.

    One row per item: its id, the label, and the probability of every class, calibrated on labels that were held out.
    """
    if out is not None and out.suffix.lower() != ".csv":
        raise UnknownName("ending of predictions", out.suffix or out.name, [".csv"])
    from askwell.engine.project import Project
    from askwell.engine.threads import threads_of

    with threads_of(project), Project.open(project) as opened:
        found = opened.predict(data, loading=reading.given())
    if out is None:
        rows = _rows(found)
        text = columns(rows, found.columns, width())
        return Answer({"project": project, "predictions": rows}, text, text)
    found.to_csv(out)
    text = f"{counted(len(found), 'item')} in {out}"
    return Answer({"project": project, "items": len(found), "out": out}, text, str(out))


def _rows(found: Predictions) -> list[dict[str, Any]]:
    plain = ([value.item() if hasattr(value, "item") else value for value in row] for row in found)
    return [dict(zip(found.columns, row, strict=True)) for row in plain]
