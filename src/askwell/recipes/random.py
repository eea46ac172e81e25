"""Random choice: the arm that every claim is made against."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Random

__all__ = ["random"]


def random() -> Recipe:
    """Items drawn evenly without replacement."""
    return plain(
        "random",
        Random(),
        source="baseline; survey section 5, Munjal et al. 2022, arXiv:2002.09564",
    )
