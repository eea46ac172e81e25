"""Improved greedy sampling, iGS: for regression."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import GreedySampling

__all__ = ["greedy_sampling"]


def greedy_sampling() -> Recipe:
    """Asks for the item that is least like any labelled one, by its features times its predicted number."""
    return plain(
        "greedy_sampling",
        GreedySampling(),
        task="regression",
        resolve="mean",
        source="Wu, Lin & Huang 2019, arXiv:1808.04245",
        deviations=(
            "A batch is chosen at once: an item that was picked counts as labelled with its prediction. The paper asks "
            "for one label at a time and fits again.",
            "Round 0 is random, so that arms start alike; the paper starts by inputs alone, as the strategy "
            "greedy_sampling(over=inputs) does.",
            "Features are the pool's own, such as scaled columns; the paper uses standardised columns.",
            "A small network for the paper's ridge regression.",
        ),
    )
