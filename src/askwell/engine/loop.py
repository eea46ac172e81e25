"""One round after the other, on nothing but a project: answer what is out, train, choose the next items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from torch import Generator

from askwell.core.learner import Progress
from askwell.core.oracle import Annotation, Oracle
from askwell.engine.project import Project
from askwell.engine.report import Report
from askwell.engine.stop import StopRule
from askwell.errors import InputError, ProjectError

__all__ = ["answer", "rounds", "stopped"]

AT_ONCE = 256
"""Questions that an oracle gets together."""


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
    while project.untrained or _next(project, last, stop, progress):
        answer(project, oracle)
        while not project.store.counts()["answered"] and _plan(project, progress):
            answer(project, oracle)
        yield project.train(progress)


def answer(project: Project, oracle: Oracle) -> None:
    """Has the oracle answer every question that is out; its annotators share the work, each in his turn.

    Who has answered about an item before is asked about it again only where nobody else is left.
    """
    with project.watch.part("rest"):
        share = ceil(len(project.store.pending()) / len(oracle.annotators))
        for again in (False, True):
            answered = share
            while answered:
                answered = sum(_turn(project, oracle, annotator, share, again) for annotator in oracle.annotators)


def _turn(project: Project, oracle: Oracle, annotator: str, share: int, again: bool) -> int:
    """Has one annotator answer his share, and returns how many questions that were."""
    done = 0
    while questions := project.take(min(AT_ONCE, share - done), annotator, again=again):
        told = list(oracle.answer(questions, annotator, question_seed(project, annotator)))
        if not told:
            raise ProjectError(f"oracle {oracle!r} left {len(questions)} questions unanswered")
        project.tell_all([_as_now(project, said) for said in told])
        done += len(questions)
    return done


def _as_now(project: Project, said: Annotation) -> Annotation:
    """Where classes were edited, an oracle's numbers are those of the classes that the data came with."""
    edits, parts = project.edits, said.value if isinstance(said.value, list | tuple) else [said.value]
    if said.value is None or edits.classes == edits.original or any(isinstance(part, str) for part in parts):
        return said
    return replace(said, value=edits.now(project.original.check(said.value)))


def question_seed(project: Project, annotator: str) -> Callable[[int], Generator]:
    """This annotator's own generator for each question."""
    return lambda question: project.seeds.torch("oracle", annotator, question)


def stopped(reports: Sequence[Report], stop: StopRule | None) -> str | None:
    """The reason to stop, or None."""
    return stop(reports) if stop else None


def _next(project: Project, last: int, stop: StopRule | None, progress: Progress | None) -> bool:
    """Plans the next round; False when there is none."""
    if project.store.planned > last or stopped(project.reports, stop):
        return False
    return _plan(project, progress)


def _plan(project: Project, progress: Progress | None) -> bool:
    with project.watch.part("rest"):
        wanted = project.recipe.batch if project.reports else project.recipe.initial_size
        return project.plan(wanted, progress) > 0
