"""BADGE, diverse gradient embeddings [10]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BADGE

__all__ = ["badge"]


def badge() -> Recipe:
    """k-means++ seeding over last-layer gradients at the predicted label: uncertain and diverse."""
    return plain(
        "badge",
        BADGE(),
        source="Ash et al. 2020, arXiv:1906.03671",
        deviations=("The first centre is the longest gradient, as in the official code; the paper draws it.",),
    )
