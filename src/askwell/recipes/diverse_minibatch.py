"""DBAL, diverse mini-batch by weighted k-means [186]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import DiverseMinibatch

__all__ = ["diverse_minibatch"]


def diverse_minibatch() -> Recipe:
    """Clusters the least decided items, each counting by its doubt, and asks for the middle of each cluster."""
    return plain(
        "diverse_minibatch",
        DiverseMinibatch(),
        source="Zhdanov 2019, arXiv:1901.05954",
        deviations=(
            "Beta is 10, as the paper has it for text; for images it has 50: strategy='diverse_minibatch(beta=50)'.",
            "A seed of k-means is the best of a few draws in proportion to weight times squared distance.",
            "Fewer than 20 different items in the prefiltered part: the least decided others fill the batch.",
        ),
    )
