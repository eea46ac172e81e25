"""EMOC, expected model output change [43]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import EMOC

__all__ = ["emoc"]


def emoc() -> Recipe:
    """Asks for the labels that are expected to change the predictions for other items most."""
    return plain(
        "emoc",
        EMOC(),
        source="Freytag, Rodner and Denzler 2014, doi:10.1007/978-3-319-10593-2_37",
        deviations=(
            "The Gaussian process is fitted on the network's embeddings; the paper has fixed image features.",
            "The process stands for the network in the choice alone; predictions are the network's.",
            "The width of the kernel is the spread of the candidates, the noise .1: not from the paper.",
            "The probability of a label counts the noise; the authors' later code leaves it out.",
            "Outputs for 500 candidates, evenly spaced, stand for the distribution of the data.",
            "Interpretation: with more than two classes, each against the rest, changes summed.",
        ),
    )
