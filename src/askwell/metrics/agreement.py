"""How far two raters agree beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

__all__ = ["cohen"]


def cohen(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Cohen's kappa of two raters over the same n items, in [-1, 1]; 1 when both gave one and the same label.

    Cohen 1960, doi:10.1177/001316446002000104. O(n).

    >>> round(cohen("aabb", "aabc"), 4)
    0.6
    >>> cohen("aaa", "aaa")
    1.0
    """
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    left, right = Counter(one), Counter(other)
    chance = sum(left[label] * right[label] for label in left) / n**2
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)
