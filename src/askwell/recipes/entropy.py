"""Entropy of the predicted distribution [142]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Entropy

__all__ = ["entropy"]


def entropy() -> Recipe:
    """Asks for the item whose predicted distribution has the most entropy, by one deterministic pass."""
    return plain(
        "entropy",
        Entropy(),
        source="Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; Settles 2009",
    )
