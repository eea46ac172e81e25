"""Membership query synthesis: ask about the boundary between two classes [8, 82]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import MembershipSynthesis

__all__ = ["membership_synthesis"]


def membership_synthesis() -> Recipe:
    """Makes items that the network cannot decide about, and asks for the real ones nearest to them.

    With `membership_synthesis(snap=False)` the made items are asked; a simulation then needs an oracle, such as
    `nearest`.
    """
    return plain(
        "membership_synthesis",
        MembershipSynthesis(),
        source="Angluin 1988, doi:10.1007/BF00116828; King et al. 2004, doi:10.1038/nature02236",
        deviations=(
            "Items are made by gradient for a network; the papers learn rules, and King et al. choose experiments.",
            "Made items are replaced by real ones, since people often cannot name what is made.",
            "The weights of the pull towards real items and of the push apart are ours, as are rate and steps.",
            "Nearness to earlier queries counts labelled items and items made before in the same batch.",
        ),
        switches={"strategy.pull": (0.1, 0.0), "strategy.push": (0.01, 0.0)},
    )
