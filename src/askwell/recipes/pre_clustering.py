"""Pre-clustering [113]: uncertainty by clusters, weighed by density."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import PreClustering

__all__ = ["pre_clustering"]


def pre_clustering() -> Recipe:
    """Asks where the pool is dense and its clusters are undecided, once per cluster before it asks twice in one."""
    return plain(
        "pre_clustering",
        PreClustering(),
        source="Nguyen & Smeulders 2004, doi:10.1145/1015330.1015349",
        deviations=(
            "Interpretation: the error of a hard decision; the mean one is strategy='pre_clustering(error=mean)'.",
            "Interpretation: a batch takes one item per cluster first, and clusters are split once each holds a label.",
            "Interpretation: clusters by k-means, and a ridge of 0.01 on centres measured in their own width.",
            "More than two classes: one against the rest, with the mean error; the paper has two.",
            "A small network is trained on the labels and measured; the paper measures its classifier on the clusters.",
        ),
    )
