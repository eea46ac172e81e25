"""A bandit over strategies: active learning by learning."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import ALBL, Coreset, Margin, Random

__all__ = ["bandit"]


def bandit() -> Recipe:
    """Learns while asking which of margin, core-set and random choice to trust, by the accuracy on what was asked.

    The same with the classes that each strategy finds in place of the accuracy: strategy `thompson`.
    """
    return plain(
        "bandit",
        ALBL((Margin(), Coreset(), Random()), steps=10),
        source="Hsu & Lin 2015, Active Learning by Learning, AAAI; Beygelzimer et al. 2011, arXiv:1002.4058",
        deviations=(
            "Twenty items are drawn per round, without replacement, and the weights move once per round by the mean "
            "reward of its items; the paper asks one item at a time.",
            "A strategy's advice is even over as many favourites as are asked; the paper's is its one pick.",
            "Items that are labelled already are never drawn again; published code draws them and counts the step.",
            "The model is the network that is being trained, not a linear one.",
        ),
    )
