"""BAIT: batches by Fisher information."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BAIT

__all__ = ["bait"]


def bait() -> Recipe:
    """Asks for a batch that leaves least expected error, with Fisher information of the last layer."""
    return plain(
        "bait",
        BAIT(),
        source="Ash et al. 2021, arXiv:2106.09675",
        deviations=(
            "Embeddings wider than 64 and more than 17 classes are projected at random; the official code keeps "
            "all of the last layer.",
            "The network follows the form of the items; the paper uses ResNet-18 and an MLP.",
        ),
    )
