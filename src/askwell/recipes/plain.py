"""The plain pool-based recipe that most strategies share: a supervised network, random start, equal rounds."""

from __future__ import annotations

from typing import Any

from askwell.core.recipe import Recipe
from askwell.core.strategy import Strategy
from askwell.learners import Net
from askwell.schemes import Supervised
from askwell.strategies import Random

__all__ = ["plain"]


def plain(
    name: str, strategy: Strategy, *, source: str = "", deviations: tuple[str, ...] = (), **changes: Any
) -> Recipe:
    """A recipe around one strategy; the network follows the form of the items unless `learner` names one.

    >>> from askwell.strategies import Margin
    >>> plain("margin", Margin(), batch=50).budget
    520
    """
    parts: dict[str, Any] = {"learner": Net(), "initial": Random(), "scheme": Supervised(), **changes}
    return Recipe(name=name, strategy=strategy, source=source, deviations=deviations, **parts)
