"""Cluster-Margin: the least decided items, spread over clusters that are made once."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import ClusterMargin

__all__ = ["cluster_margin"]


def cluster_margin() -> Recipe:
    """Clusters the pool once by the first model, and asks in turn from each cluster among the least decided items."""
    return plain(
        "cluster_margin",
        ClusterMargin(),
        source="Citovsky et al. 2021, arXiv:2107.14263",
        deviations=(
            "Average linkage within random blocks of at most 2,000 items, so that no table of all pairs is made.",
            "Interpretation: items are as far apart as their embeddings in Euclidean distance.",
            "The threshold is set so that at least ten clusters per item of a batch are left.",
            "Ten times the batch take part, as in the paper's large pool; small ones: 'cluster_margin(beta=1.25)'.",
        ),
    )
