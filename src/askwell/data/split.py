"""Which items may be asked, which are for validation, which for the test: seeded, and in proportion to the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from askwell.core.seeds import Seeds
from askwell.data.dataset import Split, known
from askwell.errors import InputError

__all__ = ["CANDIDATE", "TEST", "VALIDATION", "Sizes", "divide", "stratified"]

CANDIDATE, VALIDATION, TEST = 0, 1, 2
USUAL = 0.2
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Sizes:
    """How many items each part gets: a count, or a share below 1 of the items that it is drawn from.

    pool        of the candidates; None takes all
    test        of the test part that the data bring, or of all labelled items; None takes the whole test part, or a
                fifth of the labelled items
    validation  of the validation part that the data bring, or of the candidates
    A part counts by its labelled items; one that has none is as if the data did not bring it.
    """

    pool: int | float | None = None
    test: int | float | None = None
    validation: int | float = 0


def divide(n: int, labels: NDArray[Any] | None, parts: NDArray[np.int8] | None, sizes: Sizes, seeds: Seeds) -> Split:
    """Splits n items; `labels` as in `Data.labels`. Strata are the classes, where every item has one.

    Items of a part that are not drawn are set aside, never moved to another part. Only items whose label is known are
    for the test or for validation, unless no label is known at all.

    >>> split = divide(10, np.array([0, 1] * 5), None, Sizes(test=4), Seeds(0))
    >>> len(split.candidates), len(split.test)
    (6, 4)
    """
    classed = labels is not None and labels.ndim == 1 and labels.dtype.kind == "i"
    strata = labels if labels is not None and classed else np.zeros(n, np.int64)
    given = np.zeros(n, np.int8) if parts is None else parts
    there = np.ones(n, bool) if labels is None else known(labels)

    def draw(role: str, source: Positions, size: int | float) -> Positions:
        count = _count(size, len(source), f"{role}_size")
        return stratified(strata, source, count, seeds.numpy("split", role))

    candidates = np.flatnonzero(given == CANDIDATE)
    brought = np.flatnonzero((given == TEST) & there)
    usual = len(brought) or USUAL * (labels is not None)
    source = brought if len(brought) else candidates[there[candidates]]
    test = draw("test", source, usual if sizes.test is None else sizes.test)
    candidates = np.setdiff1d(candidates, test)
    held = np.flatnonzero((given == VALIDATION) & there)
    validation = draw("validation", held if len(held) else candidates[there[candidates]], sizes.validation)
    candidates = np.setdiff1d(candidates, validation)
    pool = draw("pool", candidates, len(candidates) if sizes.pool is None else sizes.pool)
    if not len(pool):
        raise InputError(
            "no candidates are left: make test_size or validation_size smaller, or pool_size larger", got=sizes
        )
    return Split(pool, validation, test)


def stratified(strata: NDArray[np.int64], positions: Positions, n: int, rng: Generator) -> Positions:
    """n of these positions, ascending, in proportion to the strata (len(pool),) by largest remainders.

    >>> rng = np.random.default_rng(0)
    >>> chosen = stratified(np.array([0] * 6 + [1] * 3), np.arange(9), 3, rng)
    >>> int((chosen < 6).sum())
    2
    """
    if n == len(positions):
        return positions
    order = rng.permutation(len(positions))
    _, stratum, counts = np.unique(strata[positions], return_inverse=True, return_counts=True)
    exact = counts * n / max(1, len(positions))
    quota = np.floor(exact).astype(np.int64)
    quota[np.argsort(quota - exact, kind="stable")[: n - quota.sum()]] += 1
    rows = [order[stratum[order] == place][:wanted] for place, wanted in enumerate(quota)]
    return np.sort(positions[np.concatenate([*rows, np.empty(0, np.int64)])])


def _count(size: int | float, available: int, name: str) -> int:
    """A size as a number of items."""
    whole = isinstance(size, int) and not isinstance(size, bool)
    if not (whole and size >= 0) and not (isinstance(size, float) and 0 <= size < 1):
        raise InputError(f"{name} must be a count or a share below 1, got {size!r}", got=size)
    count = int(size) if whole else round(size * available)
    if count > available:
        raise InputError(f"{name} must be at most {available}, the number of items there are, got {size!r}", got=size)
    return count
