"""BALD over MC-dropout draws [67]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BALD

__all__ = ["bald"]


def bald() -> Recipe:
    """Asks where confident draws contradict each other."""
    return plain(
        "bald",
        BALD(),
        source="Houlsby et al. 2011, arXiv:1112.5745; Gal, Islam & Ghahramani 2017, arXiv:1703.02910",
        deviations=(
            "MC dropout stands for the Gaussian process of Houlsby et al.",
            "A batch is the best scores one by one; see batch_bald for the joint score.",
        ),
    )
