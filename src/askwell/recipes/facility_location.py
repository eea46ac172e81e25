"""Facility location over embeddings."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import FacilityLocation, Subsample

__all__ = ["facility_location"]


def facility_location() -> Recipe:
    """Asks for the item that makes all others most alike to a labelled one, by the angle between embeddings."""
    return plain(
        "facility_location",
        Subsample(FacilityLocation(), 35_000),
        source="Wei, Iyer & Bilmes 2015, Submodularity in data subset selection and active learning, ICML 37",
        deviations=(
            "All candidates take part, 35,000 at most; the paper first keeps those that the model is least sure of.",
            "Items are alike by the cosine of the network's embedding; the paper uses features of its own per task.",
            "What labelled items are alike to counts as covered already; the paper chooses each batch by itself.",
        ),
    )
