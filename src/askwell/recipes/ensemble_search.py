"""Ensembles of reused checkpoints, for large batches [27]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Ensemble, Net
from askwell.recipes.plain import plain
from askwell.schemes import Checkpoints
from askwell.strategies import EnsembleSearch

__all__ = ["ensemble_search"]


def ensemble_search() -> Recipe:
    """Asks for large batches where a committee of late checkpoints of a few fits is unsure, summed up one by one."""
    return plain(
        "ensemble_search",
        EnsembleSearch("entropy", draws=12),
        learner=Ensemble(members=3, of=Net(), inner_draws=4),
        scheme=Checkpoints(last=4),
        source="Chitta, Álvarez, Haussmann & Farabet 2019, arXiv:1905.12737",
        deviations=(
            "Interpretation: four checkpoints in the second half of each of three fits; the paper reuses hundreds of "
            "checkpoints and its text does not say which to take here.",
            "Interpretation: the entropy of the mean is the score; bald and votes are settings of the strategy.",
            "Checkpoints of one fit are alike, so that their disagreement is too small: fits and checkpoints are "
            "mixed, and the report of every fit says at which steps they were taken.",
            "Every round trains anew; with policy=warm the scheme goes on from the last one, as the paper does too.",
            "Batches of 200 after 200 random items; the paper asks 10,000 to 500,000 at a time.",
            "Networks follow the form of the items, and one and the same selects and is measured: that a small network "
            "selects for a large one is left to an export of the labels.",
            "All members are in memory; classes are not cut to the most probable ones.",
        ),
        initial_size=200,
        batch=200,
        rounds=5,
        switches={"strategy.kind": ("entropy", "bald", "votes")},
    )
