"""Variance of predicted numbers over MC-dropout draws: for regression."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import PredictiveVariance

__all__ = ["predictive_variance"]


def predictive_variance() -> Recipe:
    """Asks where the draws predict numbers that lie far apart."""
    return plain(
        "predictive_variance",
        PredictiveVariance(),
        task="regression",
        resolve="mean",
        source="Tsymbalov, Panov & Shapeev 2018, arXiv:1806.09856; Burbidge, Rowland & King 2007",
        deviations=(
            "20 draws, each one dropout mask for the whole pool; the paper draws masks for every item.",
            "The network follows the form of the items; the paper uses one MLP on tables.",
            "A committee of bootstrapped models (Burbidge et al.) stands behind it where the learner is a forest.",
        ),
    )
