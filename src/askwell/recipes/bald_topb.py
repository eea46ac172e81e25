"""The b best BALD scores, taken one by one: the naive batch [46, 73]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BALD

__all__ = ["bald_topb"]


def bald_topb() -> Recipe:
    """The baseline that joint scores are compared with: the highest BALD scores, copies of one item included."""
    return plain(
        "bald_topb",
        BALD(draws=10),
        source=(
            "Gal, Islam & Ghahramani 2017, arXiv:1703.02910; as the baseline of Kirsch, van Amersfoort & Gal 2019, "
            "arXiv:1906.08158"
        ),
        deviations=(
            "The network follows the form of the items; the paper uses one CNN on repeated MNIST.",
            "The first 20 items are random; the official code takes two of each class.",
            "Training takes a fixed number of steps; the official code stops early, by validation items.",
        ),
        batch=10,
        rounds=27,
    )
