"""`askwell create`: begin a project whose labels come from people."""

from __future__ import annotations

from typing import Annotated

import typer

from askwell.cli.options import Answering, Data, Loading, NewProject, Parts, Threads
from askwell.cli.output import Answer
from askwell.cli.status import standing

__all__ = ["create"]


def create(
    project: NewProject,
    data: Data,
    parts: Parts,
    answering: Answering,
    loading: Loading,
    seed: Annotated[int, typer.Option(help="Seed of all choices and all fits.")] = 0,
    threads: Threads = 1,
) -> Answer:
    """Begin a project: a folder for questions, answers and models.

    DATA need no labels; name the classes. Then ask, tell, train, and ask again.
    """
    from askwell.engine.project import Project
    from askwell.engine.threads import threads as with_threads

    chosen = {**parts.given(), **answering.given()}
    with (
        with_threads(threads),
        Project.create(project, data, seed=seed, loading=loading.given(), **chosen) as made,
    ):
        return standing(made.status())
