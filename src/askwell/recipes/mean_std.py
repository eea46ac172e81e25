"""Mean standard deviation over MC-dropout draws [67]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import MeanSTD

__all__ = ["mean_std"]


def mean_std() -> Recipe:
    """Asks where the class probabilities vary most over the draws."""
    return plain(
        "mean_std",
        MeanSTD(),
        source="Kendall, Badrinarayanan & Cipolla 2015, arXiv:1511.02680; Gal et al. 2017, arXiv:1703.02910",
        deviations=(
            "The network follows the form of the items; the paper uses one CNN on MNIST.",
            "20 draws instead of the paper's 100 or so, and ten batches of 20 instead of a hundred of 10.",
        ),
    )
