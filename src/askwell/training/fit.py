"""Running a scheme: `fit` trains, `rehearse` says what it would do, `outline` builds the modules it would end with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace

import torch
from torch import nn

from askwell.core.learner import FitReport, Job, Progress
from askwell.core.pool import Pool
from askwell.core.registry import name_of
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.errors import InputError
from askwell.training.chance import unmoved
from askwell.training.record import document
from askwell.training.run import FitRun
from askwell.training.session import Pause, Paused, Session

__all__ = ["Fitted", "fit", "outline", "rehearse"]

Makers = Mapping[str, Callable[[], nn.Module]]


@dataclass
class Fitted:
    """The outcome of a fit: modules in eval mode, its report, the run for a scheme's own needs.

    paused  where it stopped, if `pause_after` ended it early; give it to `resume`
    """

    modules: SimpleNamespace
    report: FitReport
    run: FitRun
    paused: Pause | None = None


def fit(
    scheme: Scheme,
    pool: Pool,
    job: Job,
    task: Task,
    makers: Makers,
    seeds: Seeds,
    *,
    device: str = "cpu",
    precision: str = "float32",
    progress: Progress | None = None,
    record: bool = False,
    pause_after: int | None = None,
    resume: Pause | None = None,
) -> Fitted:
    """Trains by the scheme: same arguments, same bits on one CPU thread, however often it was paused.

    makers       module name -> function that makes it; "net" is the learner's own
    precision    "float32", or "bfloat16": autocast around losses and `compute`
    record       keep every event in `run.session.events`, and refuse weights that move outside updates and acts
    pause_after  stop after this many ticks; resume  a `Fitted.paused` of the same scheme, job and seeds
    Raises `Diverged` on a loss that is not a number, `AskwellError` if a global generator moved.
    Costs three steps per phase beyond the training itself, for the rehearsal whose sha256 is the report's.
    """
    plan = rehearse(scheme, pool, job, task, makers, seeds, device=device, precision=precision)
    digest = sha256(plan.encode()).hexdigest()
    if resume is not None and resume.rehearsal != digest:
        raise InputError("cannot resume: the paused fit was of another scheme, job or precision", got=resume.rehearsal)
    marks = dict(resume.marks) if resume else {}
    session = Session(device, precision, "fit", progress, record, pause_after, marks)
    run = FitRun(scheme, pool, job, task, makers, seeds, session)
    run.report.rehearsal = digest
    ended = _train(run)
    return Fitted(run.m, run.report, run, None if ended else Pause(digest, session.marks))


def rehearse(
    scheme: Scheme,
    pool: Pool,
    job: Job,
    task: Task,
    makers: Makers,
    seeds: Seeds,
    *,
    device: str = "cpu",
    precision: str = "float32",
) -> str:
    """JSON on what a fit does: config, facts, modules, streams, updates and order, from a few steps of each phase.

    The first, middle and last tick of every phase are run. Two fits that differ in anything but data and seeds have
    different documents.
    """
    session = Session(device, precision, "rehearse", record=True)
    run = FitRun(scheme, pool, job, task, makers, seeds, session)
    _train(run)
    return document(scheme, run.facts, session)


def outline(scheme: Scheme, pool: Pool, task: Task, makers: Makers, seeds: Seeds, *, device: str = "cpu") -> Fitted:
    """The modules that a fit of this scheme ends with, untrained, in a run for its needs.

    Saved tensors go into them: `restore(outline(…).modules, tensors)`.
    """
    none = torch.empty(0, dtype=torch.int64)
    empty = task.encode([])
    run = FitRun(
        scheme, pool, Job(none, empty, none, none, empty), task, makers, seeds, Session(device, mode="outline")
    )
    _train(run)
    return Fitted(run.m, run.report, run)


def _train(run: FitRun) -> bool:
    """Whether the scheme came to its end, rather than to a pause."""
    with unmoved(f"scheme {name_of(type(run.scheme))!r}"):
        try:
            run.scheme.train(run)
        except Paused:
            return False
        run.finish()
    return True
