"""EPIG: expected predictive information gain."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import EPIG

__all__ = ["epig"]


def epig() -> Recipe:
    """Asks for the labels that tell most about the predictions for target items."""
    return plain(
        "epig",
        EPIG(),
        source="Bickford Smith et al. 2023, arXiv:2304.08151",
        deviations=(
            "Without target items 100 candidates stand for them, evenly spaced and others every round; the paper "
            "draws them from the distribution of the inputs that matter. Of more target items 100 are taken, the same "
            "every round; the paper draws anew.",
            "MC dropout stands for the posterior; the network follows the form of the items.",
        ),
        batch=1,
        rounds=100,
    )
