"""Ensembles for active learning: variation ratios of networks from different seeds [14]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Ensemble
from askwell.recipes.plain import plain
from askwell.strategies import VariationRatios

__all__ = ["ensemble"]


def ensemble() -> Recipe:
    """Trains five networks from different seeds and asks where they vote for different classes."""
    return plain(
        "ensemble",
        VariationRatios("votes", draws=5),
        learner=Ensemble(members=5),
        source="Beluch, Genewein, Nürnberger & Köhler 2018, doi:10.1109/CVPR.2018.00976",
        deviations=(
            "The network follows the form of the items; the paper trains convolutional networks on pictures.",
            "Equal votes, of which five members give many, are broken by the entropy of the mean; interpretation: the "
            "paper does not say how.",
            "All candidates are scored; the paper draws a part of the pool at random first, as subsample does.",
            "The batch of 100 is the paper's for MNIST (from memory); it takes larger ones on larger sets.",
            "The paper's other scores are max_entropy and bald, with five draws.",
        ),
        batch=100,
    )
