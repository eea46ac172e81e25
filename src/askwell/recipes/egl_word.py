"""EGL-word, expected gradient length of word vectors [183]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import TextCNN
from askwell.recipes.plain import plain
from askwell.strategies import EGLWord

__all__ = ["egl_word"]


def egl_word() -> Recipe:
    """Asks for the sentences whose labels are expected to move the vector of one of their words most."""
    return plain(
        "egl_word",
        EGLWord(),
        learner=Net(TextCNN()),
        initial_size=25,
        batch=25,
        rounds=19,
        source="Zhang, Lease and Wallace 2017, arXiv:1606.04212",
        deviations=(
            "Word vectors start at random (CNN-rand); the paper's start from word2vec.",
            "Classes with a probability of .001 or less are left out of the expectation.",
            "Unknown words share one vector and count as no word.",
        ),
    )
