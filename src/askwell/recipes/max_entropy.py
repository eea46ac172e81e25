"""Entropy of the averaged prediction of MC-dropout draws [67]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import MaxEntropy

__all__ = ["max_entropy"]


def max_entropy() -> Recipe:
    """Asks where the averaged prediction of the draws has the most entropy."""
    return plain(
        "max_entropy",
        MaxEntropy(),
        source="Gal, Islam & Ghahramani 2017, arXiv:1703.02910",
        deviations=(
            "The network follows the form of the items; the paper uses one CNN on MNIST.",
            "20 draws instead of the paper's 100 or so, and ten batches of 20 instead of a hundred of 10.",
        ),
    )
