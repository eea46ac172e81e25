"""Which strategies would do where one does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import MISSING, fields

from askwell.core.recipe import Recipe, unmet
from askwell.core.registry import catalogue
from askwell.core.stage import Stage
from askwell.core.strategy import Strategy
from askwell.core.task import Task
from askwell.errors import UnmetNeeds

__all__ = ["check_needs", "strategies_for", "with_inner"]


def check_needs(recipe: Recipe, task: Task, provides: Set[str], before: Set[str]) -> None:
    """`Recipe.check`, and that items have one class where a strategy reads it; a refusal names those that would fit."""
    one_class = task.num_classes is not None
    try:
        recipe.check(provides, before)
        if not one_class and _reads_one_class(recipe.strategy):
            name = recipe.strategy.name
            raise UnmetNeeds(
                f"recipe {recipe.name!r}: strategy {name!r} reads one class per item, which {recipe.task} has not",
                [name],
            )
    except UnmetNeeds as error:
        if not error.names:
            raise
        given = before if unmet(recipe.initial, before) and not unmet(recipe.strategy, provides) else provides
        fit = ", ".join(strategies_for(given | {"features"}, one_class))
        raise UnmetNeeds(f"{error}; strategies for {recipe.task} that would fit: {fit}", error.names) from None


def strategies_for(provides: Set[str], one_class: bool = True) -> list[str]:
    """Strategies, as they are without settings, that need no more than this.

    one_class  every item has one class

    >>> strategies_for({"label_probs"}, one_class=False)
    ['binary_entropy', 'random']
    """
    return [
        name
        for name, cls in sorted(catalogue("strategies").items())
        if isinstance(cls, type)
        and _stands_alone(cls)
        and (one_class or not _reads_one_class(cls()))
        and not unmet(cls(), provides)
    ]


def with_inner(strategy: Strategy) -> Iterator[Strategy]:
    """It, and the strategies inside it."""
    yield strategy
    values = [getattr(strategy, field.name) for field in fields(strategy)]  # type: ignore[arg-type] # a dataclass
    for one in (one for value in values for one in (value if isinstance(value, tuple) else (value,))):
        if isinstance(one, Strategy):
            yield from with_inner(one)


def _reads_one_class(strategy: Strategy) -> bool:
    """Whether it, or a strategy inside it, reads one class per item."""
    return any(one.one_class for one in with_inner(strategy))


def _stands_alone(cls: type) -> bool:
    """Whether it can be made without settings, such as another strategy, and chooses without one before or after it."""
    given = all(field.default is not MISSING or field.default_factory is not MISSING for field in fields(cls))
    return given and not issubclass(cls, Stage)
