"""BatchBALD, the joint mutual information of a batch [84]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BatchBALD

__all__ = ["batch_bald"]


def batch_bald() -> Recipe:
    """BALD for whole batches: a second copy of a picked item is worth nothing more."""
    return plain(
        "batch_bald",
        BatchBALD(),
        source="Kirsch, van Amersfoort & Gal 2019, arXiv:1906.08158",
        deviations=(
            "The network follows the form of the items; the paper uses one CNN on MNIST.",
            "The first items are random instead of two of each class, and a fit ends after a fixed number of steps.",
        ),
        batch=5,
        rounds=20,
    )
