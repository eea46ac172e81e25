"""Least confidence [142, 95]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import LeastConfidence

__all__ = ["least_confidence"]


def least_confidence() -> Recipe:
    """Asks for the item whose most likely class is least likely."""
    return plain(
        "least_confidence",
        LeastConfidence(),
        source="Lewis & Gale 1994, arXiv:cmp-lg/9407020; Wang & Shang 2014, doi:10.1109/IJCNN.2014.6889457",
    )
