"""Exploration-P: exploitation by uncertainty, exploration by a learned similarity [180]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import PairLoss
from askwell.strategies import ExplorationP

__all__ = ["exploration_p"]


def exploration_p() -> Recipe:
    """Asks where the network is unsure and where nothing is like a labelled item, by features that learn to be alike.

    An interpretation: neither code nor the numbers of the paper are public.
    """
    return plain(
        "exploration_p",
        ExplorationP(),
        scheme=PairLoss(),
        source="Yin et al. 2017, doi:10.1109/ICDM.2017.67",
        deviations=(
            "The loss on pairs is the logistic loss of a scaled cosine over all pairs of a mini-batch, both kinds "
            "weighed alike; the paper's is not known to us.",
            "The weight of likeness is .5, and the unsure part of a batch grows from a quarter to all of it over 10 "
            "rounds; the paper's numbers are not known to us.",
            "The similarity is a linear map of the classifier's last hidden layer, not a second tower.",
            "Exploration takes the items least like the labelled ones, as the abstract says; the survey calls it "
            "random, which is explore='random'.",
        ),
        switches={
            "strategy.explore": ("diverse", "random"),
            "strategy.alpha": (0.5, 0.0),
            "scheme.weight": (1.0, 0.0),
        },
    )
