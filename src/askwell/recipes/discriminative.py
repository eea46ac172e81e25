"""Discriminative active learning: make the labelled items look like the pool [51]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Discriminative

__all__ = ["discriminative"]


def discriminative() -> Recipe:
    """Asks for what a classifier of labelled against unlabelled items tells most surely from the labelled ones."""
    return plain(
        "discriminative",
        Discriminative(sub_batches=4, lr=1e-3),
        source="Gissin and Shalev-Shwartz 2019, arXiv:1907.06347",
        deviations=(
            "The whole pool is scored; the official code chooses from the sample that the classifier trained on.",
            "Labelled and unlabelled items weigh the same; the official code's weights come out equal for all items.",
            "Initial weights of the classifier are torch's, of the official code Keras's.",
            "The classifier learns at .001, where it is right about 98 % in a tenth of the time; the official code at "
            ".0001 or .0002, with the same stop.",
            "A batch of 20 has four parts of five items; in the paper one of 100 has twenty of five.",
            "Networks follow the form of the items; the paper has LeNet and VGG-16.",
        ),
        switches={"strategy.sub_batches": (4, 1), "strategy.temperature": (0.0, 0.01)},
    )
