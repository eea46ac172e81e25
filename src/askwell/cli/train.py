"""`askwell train`: fit a model to all answers so far."""

from __future__ import annotations

from askwell.cli.command import Settings
from askwell.cli.options import Project
from askwell.cli.output import Answer, table
from askwell.cli.status import plain

__all__ = ["train"]


def train(settings: Settings, project: Project) -> Answer:
    """Fit a model to all answers so far.

    Measures it on the test part, if there is one, and saves it; the next questions are chosen by it.
    """
    from askwell.engine.progress import Bars
    from askwell.engine.project import Project
    from askwell.engine.threads import threads_of

    with threads_of(project), Project.open(project) as opened, Bars(settings.quiet) as bars:
        report = opened.train(bars).public()
    shown = [(name, plain(report[name])) for name in ("round", "labels", "metrics", "seconds")]
    return Answer({"project": project, **report}, table(shown))
