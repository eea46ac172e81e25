"""CoreLog: expected change of predictions elsewhere, by the logarithmic score."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import CoreLog

__all__ = ["core_log"]


def core_log() -> Recipe:
    """Asks one by one for the labels that would move the predictions for other items most."""
    return plain(
        "core_log",
        CoreLog(),
        source="Tan, Du & Buntine 2021, arXiv:2110.14171",
        deviations=(
            "Five dropout masks of one network stand for the ensemble of five.",
            "Interpretation: KL(new ‖ old), the expected divergence of the new prediction from the old one; the "
            "official code sums KL(member ‖ new) over the members, which ranks by the reversed divergence, "
            "KL(old ‖ new), and picks other items.",
            "Without target items 600 candidates are the estimation pool, evenly spaced and others every round; "
            "the paper draws them.",
        ),
    )
