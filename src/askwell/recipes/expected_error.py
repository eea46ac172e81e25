"""EER, expected error reduction [129]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import ExpectedError

__all__ = ["expected_error"]


def expected_error() -> Recipe:
    """Asks for the labels after which the model is expected to be least wrong about the other candidates."""
    return plain(
        "expected_error",
        ExpectedError(),
        source="Roy and McCallum 2001, doi:10.5555/645530.655646",
        deviations=(
            "A logistic regression on the network's embeddings is refitted; the paper refits naive Bayes.",
            "It stands for the network in the choice alone; predictions are the network's.",
            "A refit takes 50 steps from the model without the label, not to convergence.",
            "The 100 candidates with the smallest margin are looked at, each with its two likeliest classes.",
            "1000 candidates, evenly spaced, stand for all others; risks are averaged over them, not added.",
            "One fit takes the place of the paper's bagging, which smooths the probabilities.",
        ),
    )
