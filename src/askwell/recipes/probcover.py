"""ProbCover: balls of one radius that cover the pool, for very few labels."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Probcover

__all__ = ["probcover"]


def probcover() -> Recipe:
    """Asks for the item with the most items around it that no labelled one has around it, from the first item on."""
    return plain(
        "probcover",
        Probcover(),
        initial=Probcover(),
        source="Yehuda, Dekel, Hacohen & Weinshall 2022, arXiv:2205.11320",
        deviations=(
            "Features are the pool's own (scaled vectors, principal components of pixels, tf-idf) unless a file of "
            "self-supervised ones is given; the paper uses SimCLR.",
            "The radius is the exact quantile at which 95 % of the balls are pure, found anew for each pool; the paper "
            "looks at a grid and gives .75 for CIFAR-10.",
            "Equal items are drawn at random; the paper's code takes the lowest, or one of the first five.",
            "Once all is covered, items are farthest-first; the official code then asks for its first row.",
            "A small network that follows the form of the items; the paper uses ResNet-18.",
        ),
        switches={"strategy.delta": (None, 0.75), "strategy.purity": (0.95, 0.9)},
    )
