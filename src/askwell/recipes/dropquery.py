"""DropQuery: items whose predicted class flips when features are dropped."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Linear
from askwell.recipes.plain import plain
from askwell.strategies import Dropquery

__all__ = ["dropquery"]


def dropquery() -> Recipe:
    """Drops three quarters of the features before a linear layer, and asks for a spread of items whose class flips."""
    return plain(
        "dropquery",
        Dropquery(),
        learner=Linear(),
        scheme=None,
        source="Gupte et al. 2024, arXiv:2401.14555",
        deviations=(
            "Features are the pool's own unless `features` names frozen ones; the paper uses DINOv2 and the like.",
            "Round 0 is random, so that arms start alike; the paper starts from the centres of clusters.",
        ),
    )
