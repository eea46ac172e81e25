"""Active palmprint recognition: labelled against unlabelled by the first fully connected layer [35]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Discriminative

__all__ = ["palmprint"]


def palmprint() -> Recipe:
    """Asks for what one classifier, on the first fully connected layer, tells most surely from the labelled items."""
    return plain(
        "palmprint",
        Discriminative(layer="first", sub_batches=1, depth=2, lr=1e-3, epochs=200),
        source="Du, Zhong and Shao 2019, Building an Active Palmprint Recognition System, ICIP, pages 1685-1689",
        deviations=(
            "Interpretation: the paper's text was not at hand; the system is built from its abstract and the survey.",
            "Interpretation: two hidden layers of 256 units, Adam at .001 for 200 epochs or until 98 % are told right.",
            "At most ten unlabelled items per labelled one train the classifier, which scores all of them.",
            "It goes on when labelled and unlabelled items cannot be told apart, and does not stop by itself.",
            "Networks follow the form of the items; the paper has one of its own for palms.",
        ),
        switches={"strategy.sub_batches": (1, 10)},
    )
