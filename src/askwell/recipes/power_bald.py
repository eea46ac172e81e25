"""PowerBALD: stochastic batches from BALD scores."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import BALD, Stochastic

__all__ = ["power_bald"]


def power_bald() -> Recipe:
    """Draws a batch with probabilities that grow with BALD: near BatchBALD at the price of BALD."""
    return plain(
        "power_bald",
        Stochastic(strategy=BALD(), kind="power", beta=1.0),
        source="Kirsch et al. 2023, arXiv:2106.12059",
    )
