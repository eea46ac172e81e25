"""DFAL: ask for what the smallest attack flips, and train on the attacked copy too [36]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import DFAL, Subsample

__all__ = ["dfal"]


def dfal() -> Recipe:
    """Asks for the items that the smallest change of their input gives another class.

    The changed item joins training with the label of the original; labels are counted without it.
    """
    return plain(
        "dfal",
        Subsample(size=1000) | DFAL(),
        source="Ducoffe and Precioso 2018, arXiv:1802.09841",
        deviations=(
            "Each round attacks 1,000 random candidates; the size is ours.",
            "An attack looks at the ten highest logits, and takes 50 steps at most: from memory.",
            "An item that no attack flips has no copy, since it would be none of another class.",
            "Networks follow the form of the items; the paper has LeNet5 and VGG8.",
        ),
        switches={"strategy.strategy.copies": (True, False)},
    )
