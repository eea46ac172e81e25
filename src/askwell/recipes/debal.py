"""DEBAL: ensembles of networks with Monte-Carlo dropout [120]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Ensemble, Net
from askwell.recipes.plain import plain
from askwell.strategies import BALD

__all__ = ["debal"]


def debal() -> Recipe:
    """Pools the dropout draws of three networks from different seeds and asks where these contradict each other."""
    return plain(
        "debal",
        BALD(draws=300),
        learner=Ensemble(members=3, of=Net(), inner_draws=100),
        source="Pop & Fulop 2018, arXiv:1811.03897",
        deviations=(
            "Three networks with a hundred draws each are from memory.",
            "The paper's other scores are variation_ratios and max_entropy, with 300 draws.",
            "What is measured is the mean of the networks without dropout; the paper averages over all draws.",
            "Networks follow the form of the items; the paper trains convolutional ones on pictures.",
        ),
        batch=10,
        rounds=20,
    )
