"""A choice as people see it: how long it will take, where that is long, and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable

from torch import Generator

from askwell.core.learner import Progress
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.engine.estimate import announce
from askwell.engine.progress import Bars
from askwell.functional.steps import listening

__all__ = ["choose"]

log = logging.getLogger("askwell")


def choose(
    strategy: Strategy, view: View, n: int, rng: Generator, progress: Progress | None = None, *, said: bool = False
) -> Batch:
    """What `strategy.select` chooses, to the bit; `progress` hears of its steps.

    A choice that will take more than a minute says so first, unless that was `said` before: beside the bars, or in the
    log where there are none. With quiet bars nothing is tried and nobody listens.
    """
    say = _voice(progress)
    if say is not None and not said:
        announce(strategy, view, n, say)
    with listening(None if say is None else progress):
        return strategy.select(view, n, rng)


def _voice(progress: Progress | None) -> Callable[[str], None] | None:
    if isinstance(progress, Bars):
        return None if progress.quiet else progress.say
    return log.warning
