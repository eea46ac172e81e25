"""Learners around another learner: what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from askwell.core.needs import Need
from askwell.core.task import Task
from askwell.errors import InputError, UnmetNeeds

__all__ = ["Around", "answers_of", "innermost", "within"]


class Around:
    """Base of factories with a field `of`, the factory of the learner that theirs is around."""

    of: Any

    def __post_init__(self) -> None:
        if isinstance(self.of, type) or not hasattr(self.of, "uses_scheme"):
            raise InputError(f"`of` must be a learner, such as Net() or Linear(), got {self.of!r}", got=self.of)

    @property
    def uses_scheme(self) -> bool:
        """Whether the learner inside trains by a scheme."""
        return bool(self.of.uses_scheme)


def answers_of(task: Task) -> tuple[Need, Need]:
    """What one model says of an item, and what several say of it, such as probs and mc_probs.

    >>> from askwell.tasks import Regression
    >>> [need.name for need in answers_of(Regression())]
    ['predictions', 'mc_predictions']
    """
    methods = {method: need for need, method in task.offers.items()}
    for drawn, method in task.drawn.items():
        if method in methods:
            return methods[method], drawn
    raise UnmetNeeds(f"task {task!r} has no answers that several models could give")


def innermost(learner: Any) -> Any:
    """The learner that is around no other one.

    >>> from askwell.learners import Ensemble, Linear
    >>> innermost(Ensemble(of=Linear()))
    Linear(l2=1.0, dropout=0.0)
    """
    return innermost(learner.of) if _holds(learner) else learner


def within(learner: Any, change: Callable[[Any], Any]) -> Any:
    """The learner with `change` made to its innermost one.

    >>> from askwell.learners import Ensemble, Linear
    >>> within(Ensemble(of=Linear()), lambda inner: Linear(l2=inner.l2 / 2)).of
    Linear(l2=0.5, dropout=0.0)
    """
    return replace(learner, of=within(learner.of, change)) if _holds(learner) else change(learner)


def _holds(learner: Any) -> bool:
    """Whether it has a field `of`, the learner that it is around."""
    return any(field.name == "of" for field in fields(learner))
