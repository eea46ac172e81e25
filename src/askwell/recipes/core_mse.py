"""CoreMSE: expected change of predictions elsewhere, by the quadratic score."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import CoreMSE

__all__ = ["core_mse"]


def core_mse() -> Recipe:
    """Asks one by one for the labels that would move the predictions for other items most."""
    return plain(
        "core_mse",
        CoreMSE(),
        source="Tan, Du & Buntine 2021, arXiv:2110.14171",
        deviations=(
            "Five dropout masks of one network stand for the ensemble of five.",
            "Interpretation: the expected squared change of the mean prediction; the official code sums over the "
            "members, which adds the same to every item.",
            "Without target items 600 candidates are the estimation pool, evenly spaced and others every round; "
            "the paper draws them.",
        ),
    )
