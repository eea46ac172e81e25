"""TypiClust: typical items of uncovered clusters, for very few labels."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Typiclust

__all__ = ["typiclust"]


def typiclust() -> Recipe:
    """Clusters fixed features and asks for the densest item of each cluster without a label, from the first item on."""
    return plain(
        "typiclust",
        Typiclust(),
        initial=Typiclust(),
        source="Hacohen, Dekel & Weinshall 2022, arXiv:2202.02794",
        deviations=(
            "Features are the pool's own (scaled vectors, principal components of pixels, tf-idf) unless a file of "
            "self-supervised ones is given; the paper uses SimCLR.",
            "Clusters of at most five items come last instead of being dropped, so that a batch is always full.",
            "Typicality by distances, not by the squared distances of the official code.",
        ),
    )
