"""UHerding: coverage of what is unsure, for any number of labels."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Maxherding, Subsample, Uherding

__all__ = ["uherding"]


def uherding() -> Recipe:
    """Asks for the item that brings the unsure ones closest to a labelled one, by a kernel that narrows with labels."""
    return plain(
        "uherding",
        Subsample(Uherding(), 35_000),
        initial=Subsample(Maxherding(), 35_000),
        source="Bae, Oliveira & Sutherland 2025, arXiv:2412.20644",
        deviations=(
            "The temperature is a setting, 1 unless given; the paper fits it every round on a fifth of the labels, by "
            "a second training on the rest.",
            "Features are the pool's own (scaled vectors, principal components of pixels, tf-idf) unless a file of "
            "self-supervised ones is given; the paper uses SimCLR.",
            "At most 35,000 random candidates take part, as in the official code; the sample does not shrink as labels "
            "become many.",
            "Where no two labelled items differ the kernel's width is 1, as without labels.",
            "A small network that follows the form of the items; the paper uses ResNet-18.",
        ),
        switches={"strategy.strategy.width": (None, 1.0), "strategy.strategy.temperature": (1.0, 2.0)},
    )
