"""Who answers in a simulation."""

from __future__ import annotations

from askwell.core.oracle import Oracle, Simulated
from askwell.core.recipe import Recipe
from askwell.data import Data
from askwell.oracles import Truth

__all__ = ["simulated"]


def simulated(recipe: Recipe, data: Data) -> Oracle:
    """The recipe's oracle, knowing the labels of the data where it answers from them; the truth if it has none.

    An oracle that brings labels of its own keeps them.
    """
    oracle = recipe.oracle or Truth(annotators=tuple(f"truth-{one + 1}" for one in range(recipe.answers)))
    if isinstance(oracle, Simulated) and data.labels is not None and not len(getattr(oracle, "labels", ())):
        oracle = oracle.knowing(data.labels, data.classes)
    return oracle
