"""Margin, best versus second best [142]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Margin

__all__ = ["margin"]


def margin() -> Recipe:
    """Asks for the item whose two likeliest classes are closest; often the strongest plain score."""
    return plain(
        "margin",
        Margin(),
        source="Scheffer et al. 2001, doi:10.1007/3-540-44816-0_31",
    )
