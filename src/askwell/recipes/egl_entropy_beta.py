"""EGL-Entropy-Beta, word gradients and entropy in a mixture that changes with the rounds [183]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import TextCNN
from askwell.recipes.plain import plain
from askwell.strategies import EGLEntropyBeta

__all__ = ["egl_entropy_beta"]


def egl_entropy_beta() -> Recipe:
    """Asks for documents by the gradients of their words at first, and more and more by entropy."""
    return plain(
        "egl_entropy_beta",
        EGLEntropyBeta(),
        learner=Net(TextCNN()),
        initial_size=25,
        batch=25,
        rounds=19,
        source="Zhang, Lease and Wallace 2017, arXiv:1606.04212",
        deviations=(
            "Interpretation: the share of word gradients in round t is drawn from Beta(1, t).",
            "Interpretation: both scores are scaled to [0, 1] over the candidates before they are mixed.",
            "Word vectors start at random (CNN-rand); the paper's start from word2vec.",
            "Classes with a probability of .001 or less are left out of the expectation.",
            "Unknown words share one vector and count as no word.",
        ),
    )
