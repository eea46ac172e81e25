"""EGL, expected gradient length [143]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import EGL

__all__ = ["egl"]


def egl() -> Recipe:
    """Asks for the labels that are expected to move the last layer most."""
    return plain(
        "egl",
        EGL(),
        source="Settles, Craven and Ray 2007; Settles and Craven 2008, doi:10.3115/1613715.1613855",
        deviations=(
            "Gradients of the last layer alone; the paper has a logistic model, all of which is that layer.",
            "A network that follows the form of the items; the paper learns from bags of instances.",
        ),
    )
