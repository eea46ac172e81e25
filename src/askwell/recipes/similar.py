"""SIMILAR: submodular information measures, for rare classes."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Similar

__all__ = ["similar"]


def similar() -> Recipe:
    """Asks for items whose last-layer gradients are like those of the labelled items of rare classes, and diverse."""
    return plain(
        "similar",
        Similar(),
        source="Kothawade, Beck, Killamsetty & Iyer 2021, arXiv:2107.00717",
        deviations=(
            "Wanted are the labelled items of classes with fewer labels than average unless classes are named; the "
            "paper holds a set of rare items apart.",
            "Measures that compare candidates with each other take all of them; the paper splits its pool in parts.",
            "Log-determinants have 1 on the diagonal beside the kernel, the default of the authors' code.",
            "A small network that follows the form of the items; the paper uses ResNet-18.",
        ),
        switches={"strategy.measure": ("flqmi", "gcmi", "flvmi", "logdetmi"), "strategy.eta": (1.0, 2.0)},
    )
