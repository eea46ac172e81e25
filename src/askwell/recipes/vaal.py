"""VAAL: ask for what a latent adversary still tells from the labelled items [152]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import VAAL
from askwell.strategies import LatentScore

__all__ = ["vaal"]


def vaal() -> Recipe:
    """Asks for what a latent adversary tells most surely from the labelled items.

    A VAE learns one latent space for labelled and unlabelled items while a discriminator learns to tell them apart.
    """
    return plain(
        "vaal",
        LatentScore(),
        scheme=VAAL(),
        source="Sinha, Ebrahimi & Darrell 2019, arXiv:1904.00370",
        deviations=(
            "Reconstruction and divergence are summed per item; the official code mixes a mean and a sum, and its "
            "latent space collapses.",
            "Networks follow the form of the items; the paper uses VGG-16 and a convolutional VAE.",
            "Images of 8x8 pixels need scheme='vaal(beta=0.1)': with beta 1 the latent space collapses there.",
            "The task network is the one of the last step, not the best on 5,000 validation items.",
        ),
        switches={"scheme.adversary": (1.0, 0.0), "scheme.beta": (1.0, 0.0)},
    )
