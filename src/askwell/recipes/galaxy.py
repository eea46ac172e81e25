"""GALAXY: graphs on a line for extreme imbalance."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import GALAXY

__all__ = ["galaxy"]


def galaxy() -> Recipe:
    """Puts all items on a line for each class by its margin, and bisects to where the labels change."""
    return plain(
        "galaxy",
        GALAXY(),
        source="Zhang, Katz-Samuels & Nowak 2022, arXiv:2202.01402",
        deviations=(
            "Within a batch a pick counts as labelled with its predicted class; the paper has its label at once.",
            "The class of each pick is drawn, as in the paper; the official code goes through the classes in turn.",
            "Two classes have one line, by the probability of the first.",
        ),
    )
