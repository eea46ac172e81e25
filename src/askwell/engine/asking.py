"""A project's questions as rows that people can read: what `askwell ask` prints or writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.learner import Progress
from askwell.core.oracle import Question
from askwell.engine.project import Project
from askwell.engine.sheets import check_ending, read_sheet, write_sheet
from askwell.errors import AskwellError, BadData, ProjectError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ask_sheet"]

HELD = 7 * 24 * 3600.0
"""Seconds for which the questions of a sheet are held for its annotator: a week."""
SHOWN = 8
CHOICES = 12
SIDE = 128
"""Pixels to which small pictures are enlarged, at most."""


def ask_sheet(
    project: Project,
    n: int | None = None,
    path: Path | None = None,
    *,
    annotator: str = "me",
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Up to n questions as rows: question, id, item, choices, score; written to `path` if there is one.

    Asking again gives the questions that are still open, before new ones are chosen; they are held for this annotator
    for a week. n: as many as the recipe asks in its next round, unless given. A sheet at `path` with answers that have
    not been told is not overwritten.
    """
    if path is not None:
        check_ending(path)
        _check_told(project, path)
    usual = project.recipe.batch if project.reports else project.recipe.initial_size
    questions = project.ask(usual if n is None else n, annotator, progress)
    project.store.take(len(questions), annotator, HELD)
    rows = _rows(project, questions)
    if path is not None:
        write_sheet(path, rows)
    return rows


def _check_told(project: Project, path: Path) -> None:
    if not path.exists():
        return
    try:
        lines = read_sheet(path)
    except AskwellError as error:
        raise BadData(f"{path} is there already and is no sheet of questions ({error}): choose another file") from None
    waiting = {str(row.question) for row in project.store.pending()}
    untold = sum(line.answered and str(line.question) in waiting for line in lines)
    if untold:
        raise ProjectError(f"{path} holds {untold} answers that have not been told: tell them, or choose another file")


def _rows(project: Project, questions: Sequence[Question]) -> list[dict[str, Any]]:
    scores = {asked.id: asked.score for asked in project.store.questions()}
    choices, folders = _choices(project.task.labels), _folders(project)
    return [
        {
            "question": question.id,
            "id": question.key,
            "item": shown(question.item, _file(folders, question.key) or _picture(project, question)),
            "choices": choices,
            "score": _rounded(scores[question.id]),
        }
        for question in questions
    ]


def _folders(project: Project) -> list[Path]:
    """The folders that items come from."""
    later = [json.loads(one.source)["source"] for one in project.store.segments()[1:] if one.kind == "data"]
    return [Path(source) for source in (project.data.source, *later) if Path(source).is_absolute()]


def _file(folders: Sequence[Path], key: str) -> Path | None:
    return next((folder / key for folder in folders if (folder / key).is_file()), None)


def _picture(project: Project, question: Question) -> Path | None:
    """A made picture as a file of the project's folder; None for other items."""
    if project.pool.form.kind != "image" or not project.is_made(question.position):
        return None
    path = project.folder.path / "made" / f"{question.key}.png"
    with project.folder.writing():
        path.parent.mkdir(exist_ok=True)
        _drawn(np.asarray(question.item)).save(path)
    return path


def _drawn(pixels: NDArray[Any]) -> Image:
    """Pixels (C, H, W) in [0, 1] as a picture, small ones enlarged by a whole number."""
    from PIL import Image

    bytes_ = np.rint(255 * pixels.clip(0, 1)).astype(np.uint8).transpose(1, 2, 0)
    picture = Image.fromarray(bytes_.squeeze(2) if bytes_.shape[2] == 1 else bytes_)
    times = max(1, SIDE // max(picture.size))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _choices(labels: Sequence[str]) -> list[str]:
    """What may be answered, as far as it can be read."""
    more = len(labels) - CHOICES
    return [*labels[:CHOICES], *([f"… {more} more"] if more > 0 else [])]


def _rounded(score: float | None) -> float | None:
    return None if score is None else float(f"{score:.6g}")


def shown(item: Any, file: Path | None = None) -> str:
    """An item as a text: itself, its file, its columns, or the first of its numbers.

    >>> shown({"height": 1.0, "width": 2.5}), shown(np.arange(100.0))
    ('height 1, width 2.5', '(100,) 0 1 2 3 4 5 6 7 …')
    """
    if isinstance(item, str):
        return item
    if isinstance(item, Mapping):
        return ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in item.items()
        )
    if file is not None:
        return str(file)
    numbers = np.asarray(item)
    first = numbers.reshape(-1)[:SHOWN].tolist()
    more = " …" if numbers.size > SHOWN else ""
    return f"{numbers.shape} {' '.join(f'{value:g}' for value in first)}{more}"
