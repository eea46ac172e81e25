"""DBAL: Bayesian convolutional networks by MC dropout [47]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import VariationRatios

__all__ = ["dbal"]


def dbal() -> Recipe:
    """Keeps dropout on while asking: variation ratios over 100 draws, the best of the paper's scores on MNIST."""
    return plain(
        "dbal",
        VariationRatios(draws=100),
        source="Gal, Islam & Ghahramani 2017, arXiv:1703.02910; Gal & Ghahramani 2016, arXiv:1506.02142",
        deviations=(
            "The network follows the form of the items, with dropout of its own; the paper uses two convolutions "
            "of 32 and 64 channels, 128 hidden units and dropout 0.5.",
            "The first 20 items are random; the paper takes two of each class.",
            "Training takes a fixed number of steps; published code stops early, by validation items.",
            "Weight decay is fixed; the paper derives it from the number of labels and a length scale that it "
            "tunes on 100 validation items.",
            "One score of several: the others of the paper are bald, max_entropy and mean_std.",
        ),
        batch=10,
        rounds=100,
    )
