"""Variation ratios over MC-dropout draws [67, 47]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import VariationRatios

__all__ = ["variation_ratios"]


def variation_ratios() -> Recipe:
    """Asks where the averaged prediction of the draws is least decided."""
    return plain(
        "variation_ratios",
        VariationRatios(),
        source="Gal, Islam & Ghahramani 2017, arXiv:1703.02910",
        deviations=(
            "The network follows the form of the items; the paper uses one CNN on MNIST.",
            "20 draws instead of the paper's 100 or so, and ten batches of 20 instead of a hundred of 10.",
        ),
    )
