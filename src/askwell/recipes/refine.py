"""Refine: an ensemble of strategies filters the pool before it is covered."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import (
    BADGE,
    BAIT,
    ALFAMix,
    Dropquery,
    Margin,
    Maxherding,
    Random,
    Refine,
    Typiclust,
    Uherding,
)

__all__ = ["refine"]


def refine() -> Recipe:
    """Lets nine strategies thin out the candidates five times and asks for those that cover the unsure among the rest.

    Some 500 selections for a batch: about ten seconds for 700 digits on one core.
    """
    members = (
        Random(), Margin(), BADGE(), BAIT(width=16, classes=2), Typiclust(), ALFAMix(), Dropquery(), Maxherding(),
        Uherding(),
    )  # fmt: skip
    return plain(
        "refine",
        Refine(members, Uherding()),
        source="Refine, progressive filtering, CVPR 2026, arXiv:2511.22344",
        deviations=(
            "BAIT works on 16 random directions of the embedding and two of the logits, so that its 55 selections in a "
            "batch are affordable.",
            "UHerding's temperature is 1; the released code fits one on held-out labels.",
            "A small network that follows the form of the items; the paper trains a linear layer on foundation models.",
        ),
        switches={"strategy.depth": (5, 1, 0), "strategy.alpha": (0.4, 0.2)},
    )
