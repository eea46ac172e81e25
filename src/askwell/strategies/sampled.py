"""A random part of a view, for strategies that take the square of its size."""

from __future__ import annotations

from torch import Generator

from askwell.core.view import View
from askwell.functional.pick import some

__all__ = ["sampled"]


def sampled(view: View, size: int, rng: Generator) -> View:
    """The view of `size` random candidates; the view itself, and no number drawn, where it has no more. O(N)."""
    if size >= len(view):
        return view
    return view.narrow(some(len(view), size, rng).to(view.ids.device))
