"""Few Bayesian layers near the output [182]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import Variational
from askwell.strategies import VariationRatios

__all__ = ["layer_position"]


def layer_position() -> Recipe:
    """Gives only the last two layers Gaussian weights, computes the rest once, and asks where the draws disagree."""
    return plain(
        "layer_position",
        VariationRatios(draws=100),
        scheme=Variational(layers=2),
        source="Zeng, Lesnikowski & Alvarez 2018, arXiv:1811.12535",
        deviations=(
            "Gaussian weights by local reparameterisation as the kind of Bayesian layer are from memory.",
            "Variation ratios as the score are of the work that it follows; bald and max_entropy fit as well.",
            "Dropout is off in the whole network, so that what comes before the Gaussian layers is the same for all "
            "draws.",
            "With no Gaussian layer at all there are no draws, and the recipe is refused; the paper's deterministic "
            "network is the scheme supervised.",
            "Networks follow the form of the items; the paper uses one CNN on MNIST.",
            "Layers side by side count one by one: of a network for text, whose filters of three widths are such, the "
            "last two are the output and the widest filters.",
        ),
        batch=10,
        rounds=20,
        switches={"scheme.layers": (1, 2, 3)},
    )
