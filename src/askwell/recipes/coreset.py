"""Core-set by k-center greedy [140]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Coreset

__all__ = ["coreset"]


def coreset() -> Recipe:
    """Covers the pool: asks for the item farthest from all that is labelled, in the current embedding."""
    return plain(
        "coreset",
        Coreset(),
        source="Sener & Savarese 2018, arXiv:1708.00489",
        deviations=("The greedy 2-approximation without the mixed-integer refinement for outliers.",),
    )
