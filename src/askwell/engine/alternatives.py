"""Which strategies would do where one does not fit."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import MISSING, fields

from askwell.core.recipe import Recipe, unmet
from askwell.core.registry import catalogue
from askwell.errors import UnmetNeeds

__all__ = ["check_needs", "strategies_for"]


def check_needs(recipe: Recipe, provides: Set[str], before: Set[str]) -> None:
    """`Recipe.check`, whose refusal of a strategy names those that would fit."""
    try:
        recipe.check(provides, before)
    except UnmetNeeds as error:
        given = provides if unmet(recipe.strategy, provides) else before
        if not error.names:
            raise
        fit = ", ".join(strategies_for(given | {"features"}))
        raise UnmetNeeds(f"{error}; strategies for {recipe.task} that would fit: {fit}", error.names) from None


def strategies_for(provides: Set[str]) -> list[str]:
    """Strategies, as they are without settings, that need no more than this.

    >>> strategies_for({"label_probs"})
    ['binary_entropy', 'random']
    """
    return [
        name
        for name, cls in sorted(catalogue("strategies").items())
        if isinstance(cls, type) and _stands_alone(cls) and not unmet(cls(), provides)
    ]


def _stands_alone(cls: type) -> bool:
    """Whether it can be made without settings, such as another strategy."""
    return all(field.default is not MISSING or field.default_factory is not MISSING for field in fields(cls))
