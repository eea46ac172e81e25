"""Falcun: fast active learning by contrastive uncertainty."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Falcun

__all__ = ["falcun"]


def falcun() -> Recipe:
    """Draws items that are undecided and predicted unlike those drawn before, by probabilities alone."""
    return plain(
        "falcun",
        Falcun(),
        source="Gilhuber et al. 2024, doi:10.1007/978-3-031-70362-1_25",
        deviations=(
            "Relevance is uncertainty plus scaled distance, as in the paper; the released code has the distance alone.",
        ),
    )
