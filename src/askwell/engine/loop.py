"""One round after the other, on nothing but a project: answer what is out, train, choose the next items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Generator

from askwell.core.learner import Progress
from askwell.core.oracle import Oracle
from askwell.engine.project import Project
from askwell.engine.report import Report
from askwell.engine.stop import StopRule
from askwell.errors import InputError, ProjectError

__all__ = ["answer", "rounds"]


def rounds(
    project: Project,
    oracle: Oracle,
    *,
    last: int | None = None,
    stop: StopRule | None = None,
    progress: Progress | None = None,
) -> Iterator[Report]:
    """Runs the rounds that are still missing up to round `last`, and yields each when it is on the disk.

    An interrupted run goes on where it was: the same questions, the same answers, the same models.
    """
    if len(oracle.annotators) < project.recipe.answers:
        raise InputError(
            f"{project.recipe.answers} answers are wanted per question and there are "
            f"{len(oracle.annotators)} annotators: {', '.join(oracle.annotators)}"
        )
    project.store.register(oracle.annotators)
    last = project.recipe.rounds if last is None else last
    while project.untrained or _next(project, last, stop):
        answer(project, oracle)
        yield project.train(progress)


def answer(project: Project, oracle: Oracle) -> None:
    """Has the oracle answer every question that is out."""
    with project.watch.part("rest"):
        for annotator in oracle.annotators:
            while questions := project.take(1 << 16, annotator):
                told = list(oracle.answer(questions, annotator, question_seed(project)))
                if not told:
                    raise ProjectError(f"oracle {oracle!r} left {len(questions)} questions unanswered")
                project.tell_all(told)


def question_seed(project: Project) -> Callable[[int], Generator]:
    """Each question's own generator."""
    return lambda question: project.seeds.torch("oracle", question)


def stopped(reports: Sequence[Report], stop: StopRule | None) -> str | None:
    """The reason to stop, or None."""
    return stop(reports) if stop else None


def _next(project: Project, last: int, stop: StopRule | None) -> bool:
    """Plans the next round; False when there is none."""
    done = len(project.store.rounds())
    if done > last or stopped(project.reports, stop):
        return False
    with project.watch.part("rest"):
        return project.plan(project.recipe.batch if done else project.recipe.initial_size) > 0
