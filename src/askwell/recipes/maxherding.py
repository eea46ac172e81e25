"""MaxHerding: coverage by a smooth kernel, for few labels."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Maxherding, Subsample

__all__ = ["maxherding"]


def maxherding() -> Recipe:
    """Asks for the item that brings all others closest to a labelled one on average, from the first item on."""
    return plain(
        "maxherding",
        Subsample(Maxherding(), 35_000),
        initial=Subsample(Maxherding(), 35_000),
        source="Bae, Noh & Sutherland 2024, arXiv:2407.12212",
        deviations=(
            "Features are the pool's own (scaled vectors, principal components of pixels, tf-idf) unless a file of "
            "self-supervised ones is given; the paper uses SimCLR.",
            "At most 35,000 random candidates take part, as in the official code; the sample does not shrink as labels "
            "become many.",
            "Equal items are drawn at random; the official code takes the lowest.",
            "A small network that follows the form of the items; the paper uses ResNet-18.",
        ),
        switches={"strategy.strategy.width": (1.0, 0.5)},
    )
