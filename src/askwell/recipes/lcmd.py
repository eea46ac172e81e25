"""LCMD: largest cluster, maximum distance, for regression."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import LCMD

__all__ = ["lcmd"]


def lcmd() -> Recipe:
    """Asks for the farthest item of the heaviest cluster around what is labelled, in the current embedding."""
    return plain(
        "lcmd",
        LCMD(),
        task="regression",
        resolve="mean",
        source="Holzmüller et al. 2023, arXiv:2203.09410",
        deviations=(
            "Distances are those of the embedding, as of the last layer's gradients; the paper's best form takes the "
            "gradients of all layers, sketched to 512 numbers.",
            "A small network that follows the form of the items; the paper's has two hidden layers of 512.",
        ),
    )
