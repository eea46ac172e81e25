"""How an annotator mistakes classes for each other, and what he says about one item, always the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from askwell.core.seeds import Seeds
from askwell.errors import InputError

__all__ = ["Confusion", "Mistakes", "check_classes", "checked"]

Confusion = float | tuple[tuple[float, ...], ...]
"""The share of wrong answers, spread evenly over the other classes; or (C, C): a row of answers per true class."""
SLACK = 1e-6


def checked(confusion: Any) -> Confusion:
    """The confusion as numbers; raises `InputError` unless it is a share, or square with rows that sum to one.

    >>> checked(np.eye(2))
    ((1.0, 0.0), (0.0, 1.0))
    """
    table = np.asarray(confusion, dtype=np.float64)
    if table.ndim == 0 and 0 <= table <= 1:
        return float(table)
    square = table.ndim == 2 and table.shape[0] == table.shape[1] >= 2
    if not (square and bool((table >= 0).all()) and bool((abs(table.sum(1) - 1) <= SLACK).all())):
        raise InputError(
            "confusion must be a share of wrong answers from 0 to 1, or a table (C, C) of shares of answers per true "
            f"class, rows that sum to 1; got {confusion!r}",
            got=confusion,
        )
    return tuple(tuple(map(float, row)) for row in table)


def check_classes(classes: Sequence[str]) -> None:
    """Refuses labels that are not made of two classes or more."""
    if len(classes) < 2:
        raise InputError(
            f"mistakes are made between classes, and there are {len(classes)}: labels must be one class per item"
        )


class Mistakes:
    """What annotators say instead of true labels, by a hash of seed, annotator and item: asked again, the same.

    labels come as class indices or as names of `classes`, and answers in the same form

    >>> mistakes = Mistakes(("cat", "dog"), seed=0)
    >>> [mistakes.said(truth, 0.5, "ann", position) for position, truth in enumerate(["cat", "cat", 1, 1])]
    ['cat', 'dog', 0, 1]
    """

    def __init__(self, classes: Sequence[str], seed: int) -> None:
        check_classes(classes)
        self.classes, self._places = tuple(classes), {name: place for place, name in enumerate(classes)}
        self._seeds = Seeds(seed).child("mistakes")

    def said(self, truth: Any, confusion: Confusion, annotator: str, position: int) -> Any:
        """The answer of this annotator about the item at this position."""
        drawn = self._seeds(annotator, position) / 2**63
        limits = list(accumulate(self.row(truth, confusion)))
        place = min(bisect_right(limits, drawn * limits[-1]), len(limits) - 1)
        return self.classes[place] if isinstance(truth, str) else place

    def row(self, truth: Any, confusion: Confusion) -> Sequence[float]:
        """(C,) probabilities of the answers where this is the truth."""
        place, count = self._place(truth), len(self.classes)
        if isinstance(confusion, tuple):
            if len(confusion) != count:
                raise InputError(f"confusion is of {len(confusion)} classes, and there are {count}", got=len(confusion))
            return confusion[place]
        others = confusion / (count - 1)
        return [1 - confusion if other == place else others for other in range(count)]

    def wrong(self, truth: Any, confusion: Confusion) -> float:
        """The probability of a wrong answer where this is the truth."""
        return 1.0 - self.row(truth, confusion)[self._place(truth)]

    def _place(self, truth: Any) -> int:
        place = self._places.get(truth, -1) if isinstance(truth, str) else truth
        if not isinstance(place, int) or not 0 <= place < len(self.classes):
            raise InputError(f"label {truth!r} is none of the classes {', '.join(self.classes)}", got=truth)
        return place
