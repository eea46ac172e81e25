"""Ratio of the second-best class to the best [142]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Ratio

__all__ = ["ratio"]


def ratio() -> Recipe:
    """Asks where the second-best class is nearly as likely as the best, by one deterministic pass."""
    return plain(
        "ratio",
        Ratio(),
        source='Munro 2021, "Human-in-the-Loop Machine Learning", isbn:9781617296741',
    )
