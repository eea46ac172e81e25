"""BEMPS: CoreLog in batches of items that move predictions in different ways."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BEMPS

__all__ = ["bemps"]


def bemps() -> Recipe:
    """Asks for labels that would move the predictions for other items, one from each cluster of changes."""
    return plain(
        "bemps",
        BEMPS(),
        source="Tan, Du & Buntine 2021, arXiv:2110.14171",
        deviations=(
            "Five dropout masks of one network stand for the ensemble of five.",
            "Interpretation: KL(new ‖ old), the expected divergence of the new prediction from the old one; the "
            "official code sums KL(member ‖ new) over the members: it ranks by the reversed divergence, KL(old ‖ new), "
            "and its clusters see the spread of the members on each target, too.",
            "Without target items 600 candidates are the estimation pool, evenly spaced and others every round; "
            "the paper draws them.",
            "Where one item is nearest to two centres, the largest changes left fill the batch; the official code "
            "fills it at random.",
        ),
    )
