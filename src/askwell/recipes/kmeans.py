"""k-means, the plain form of pre-clustering [113] and of diversity by partitions [55]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Kmeans

__all__ = ["kmeans"]


def kmeans() -> Recipe:
    """Splits the candidates into as many clusters as items are wanted and asks for the middle of each."""
    return plain(
        "kmeans",
        Kmeans(),
        initial=Kmeans(),
        source="Nguyen & Smeulders 2004, doi:10.1145/1015330.1015349; Guo 2010, NIPS 23",
        deviations=(
            "Interpretation: only the clusters of [113], without its classifier; recipe pre_clustering has both.",
            "Matrix partition maximises information under a Gaussian process; k-means stands for its diversity.",
            "Features are the pool's own, such as scaled columns or principal components of pixels.",
        ),
    )
