"""CAL: contrastive active learning."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import CAL

__all__ = ["cal"]


def cal() -> Recipe:
    """Asks for items that look like labelled ones to the model and that it predicts otherwise."""
    return plain(
        "cal",
        CAL(),
        source="Margatina et al. 2021, arXiv:2109.03764",
        deviations=(
            "A small network that follows the form of the items; the paper uses BERT and its CLS embedding.",
            "Batches of 20 after 20 at random; the paper starts from 1 % of the pool and asks for 2 %, up to 15 %.",
            "Of 20 labels the nearest ten are of many classes; on digits strategy='cal(neighbours=1)' does better.",
        ),
    )
