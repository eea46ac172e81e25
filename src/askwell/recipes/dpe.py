"""Deep probabilistic ensembles [28]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import DPE
from askwell.strategies import BALD

__all__ = ["dpe"]


def dpe() -> Recipe:
    """Trains eight networks together, their weights spread as a prior is, and asks where they contradict each other."""
    return plain(
        "dpe",
        BALD(draws=8),
        scheme=DPE(members=8, beta=1e-5),
        source="Chitta, Álvarez & Lesnikowski 2018, arXiv:1811.03575; the penalty: arXiv:1811.02640",
        deviations=(
            "The penalty is the formula of the paper, which is that of KL(prior ‖ weights); its text names the other "
            "direction.",
            "Interpretation: biases have the prior of their layer, and embeddings have none.",
            "1e-6 is added to every variance over the members, and gradients are clipped to length 1.",
            "The weight of the penalty is that of other people's notes; no official code is known.",
            "Networks follow the form of the items, and the optimiser is that of supervised training; the paper trains "
            "residual networks by SGD.",
            "Four equal steps of 200 items, the first at random; the paper's are of 4,000 and more.",
        ),
        initial_size=200,
        batch=200,
        rounds=3,
        switches={"scheme.beta": (1e-5, 0.0)},
    )
