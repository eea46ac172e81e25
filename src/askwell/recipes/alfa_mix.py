"""ALFA-Mix: a small step towards another class changes the prediction."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import ALFAMix

__all__ = ["alfa_mix"]


def alfa_mix() -> Recipe:
    """Mixes each embedding with the mean of every labelled class, and asks for a spread of those it changes."""
    return plain(
        "alfa_mix",
        ALFAMix(),
        source="Parvaneh et al. 2022, arXiv:2203.07034",
        deviations=(
            "The closed form with a cap of 0.2; the optimised mixing is left out.",
            "A class without labels has no anchor; the official code takes the mean of all labelled items for it.",
            "The cap grows while fewer than a batch of items change; in the official code until there is one more.",
            "Items at random that fill a batch are distinct; those of the official code may not be.",
        ),
    )
