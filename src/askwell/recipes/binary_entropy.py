"""Entropy of labels that are each there or not, averaged: for items with several labels."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BinaryEntropy

__all__ = ["binary_entropy"]


def binary_entropy() -> Recipe:
    """Asks for the item whose labels are least decided on average, each label by itself."""
    return plain(
        "binary_entropy",
        BinaryEntropy(),
        task="multi_label",
        source="Esuli & Sebastiani 2009, doi:10.1007/978-3-642-00958-7_12; Brinker 2006",
        deviations=(
            "One network with a sigmoid per label; the papers train a binary classifier for each label.",
            "Entropy for the confidence scores of boosting (Esuli & Sebastiani) and the margins of an SVM (Brinker).",
        ),
    )
