"""GA, importance of training examples by their gradients [166]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import GradientImportance

__all__ = ["gradient_importance"]


def gradient_importance() -> Recipe:
    """Asks for the items that are expected to be most important to the network, by the gradient of all its weights."""
    return plain(
        "gradient_importance",
        GradientImportance(),
        source="Vodrahalli, Li and Malik 2018, arXiv:1811.12569",
        deviations=(
            "The paper ranks items whose labels are known, to ask whether a data set is redundant; that analysis is "
            "benchmarks/gradient_importance.py, by askwell.learners.importance.",
            "To choose what to label, the gradient's length is averaged over the classes by the model's probabilities: "
            "expected gradient length over all weights.",
            "Classes with a probability of .001 or less are left out of the expectation.",
        ),
    )
