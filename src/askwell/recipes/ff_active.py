"""FF-Active: farthest-first traversal of a network's activations [49]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import FFActive

__all__ = ["ff_active"]


def ff_active() -> Recipe:
    """Asks for the item farthest from all that is labelled, in the last hidden layer, after a random first round."""
    return plain(
        "ff_active",
        FFActive(),
        source="Geifman & El-Yaniv 2017, arXiv:1711.00941",
        deviations=(
            "Round 0 is the random phase; how many random rounds the paper has is not known to us.",
            "The layer is the last hidden one; the paper's choice of layer per network is not known to us.",
            "A small network that follows the form of the items; the paper uses VGG-16.",
        ),
        switches={"strategy.random_rounds": (0, 1, 2)},
    )
