"""`askwell edit`: change the items or the classes of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askwell.cli.ids import read_ids
from askwell.cli.options import Data, Name, Project, Reading
from askwell.cli.output import Answer
from askwell.cli.status import standing

if TYPE_CHECKING:
    from askwell.engine import project as engine

__all__ = ["EDITS"]


def add(project: Project, data: Data, reading: Reading) -> Answer:
    """Add items.

    They are read as the project's own are; labels that come with them are kept.
    """
    return _edited(project, lambda opened: opened.add(data, loading=reading.given()))


def remove(
    project: Project,
    ids: Annotated[Path, typer.Argument(metavar="IDS", help="A text file with one id a line.")],
) -> Answer:
    """Take items out: they are no longer asked nor trained on."""
    keys = read_ids(ids)
    return _edited(project, lambda opened: opened.remove(keys))


def add_class(project: Project, name: Name) -> Answer:
    """Add a class."""
    return _edited(project, lambda opened: opened.add_class(name))


def rename_class(
    project: Project,
    old: Annotated[str, typer.Argument(metavar="OLD", help="What it is called.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
) -> Answer:
    """Rename a class."""
    return _edited(project, lambda opened: opened.rename_class(old, new))


def merge_classes(
    project: Project,
    classes: Annotated[list[str], typer.Argument(metavar="CLASSES", help="Those that become one.")],
    into: Annotated[str, typer.Option(help="What the one is called: one of them, or a new name.")],
) -> Answer:
    """Make one class of several."""
    return _edited(project, lambda opened: opened.merge_classes(classes, into))


EDITS: Mapping[str, Callable[..., Answer]] = {
    "add": add, "remove": remove, "add-class": add_class, "rename-class": rename_class, "merge-classes": merge_classes,
}  # fmt: skip


def _edited(path: Path, edit: Callable[[engine.Project], Any]) -> Answer:
    """Where the project stands after the edit."""
    from askwell.engine.project import Project
    from askwell.engine.threads import threads_of

    with threads_of(path), Project.open(path) as opened:
        edit(opened)
        return standing(opened.status())
