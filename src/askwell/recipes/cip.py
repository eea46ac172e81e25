"""CIP, cognitive information parcels [184]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import CIP

__all__ = ["cip"]


def cip() -> Recipe:
    """Asks for items that lie near what the model gets wrong and far from what it has understood."""
    return plain(
        "cip",
        CIP(),
        source="Zhao, Kong, Ding and Fu 2017, doi:10.1145/3123266.3123337",
        deviations=(
            "Interpretation: of the paper only the abstract is at hand; parcels, score and quota are ours.",
            "What is right and wrong is told by logistic regressions on the network's embeddings, fitted without the "
            "fold that they judge; the embeddings themselves come from a network that has seen all labelled items.",
            "The expert's instruction is a weight for each class's wrong parcels, all alike unless given.",
            "The network trains anew on all labels in every round instead of replaying old items beside new ones.",
        ),
    )
