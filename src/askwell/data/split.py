"""Which items may be asked, which are for validation, which for the test: seeded, and in proportion to the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from askwell.core.seeds import Seeds
from askwell.data.dataset import Split
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
    """

    pool: int | float | None = None
    test: int | float | None = None
    validation: int | float = 0


def divide(n: int, labels: Positions | None, parts: NDArray[np.int8] | None, sizes: Sizes, seeds: Seeds) -> Split:
    """Splits n items. Items of a part that are not drawn are set aside, never moved to another part.

    >>> split = divide(10, np.array([0, 1] * 5), None, Sizes(test=4), Seeds(0))
    >>> len(split.candidates), len(split.test)
    (6, 4)
    """
    strata = np.zeros(n, np.int64) if labels is None else labels
    given = np.zeros(n, np.int8) if parts is None else parts
    known = np.ones(n, bool) if labels is None else labels >= 0
    candidates = np.flatnonzero(given == CANDIDATE)
    test, candidates = _test(given, known, candidates, strata, sizes.test, labels is not None, seeds)
    held = np.flatnonzero(given == VALIDATION)
    source = held if len(held) else candidates[known[candidates]]
    count = _count(sizes.validation, len(source), "validation_size")
    validation = stratified(strata, source, count, seeds.numpy("split", "validation"))
    candidates = np.setdiff1d(candidates, validation)
    count = len(candidates) if sizes.pool is None else _count(sizes.pool, len(candidates), "pool_size")
    if not count:
        raise InputError(
            "no candidates are left: make test_size or validation_size smaller, or pool_size larger", got=sizes
        )
    return Split(stratified(strata, candidates, count, seeds.numpy("split", "pool")), validation, test)


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


def _test(
    given: NDArray[np.int8],
    known: NDArray[np.bool_],
    candidates: Positions,
    strata: Positions,
    size: int | float | None,
    labelled: bool,
    seeds: Seeds,
) -> tuple[Positions, Positions]:
    """The test part, and the candidates without it."""
    brought = np.flatnonzero(given == TEST)
    source = brought if len(brought) else candidates[known[candidates]]
    if size is None:
        size = len(brought) if len(brought) else USUAL * labelled
    count = _count(size, len(source), "test_size")
    test = stratified(strata, source, count, seeds.numpy("split", "test"))
    return test, np.setdiff1d(candidates, test)


def _count(size: int | float, available: int, name: str) -> int:
    """A size as a number of items."""
    whole = isinstance(size, int) and not isinstance(size, bool)
    if not (whole and size >= 0) and not (isinstance(size, float) and 0 <= size < 1):
        raise InputError(f"{name} must be a count or a share below 1, got {size!r}", got=size)
    count = int(size) if whole else round(size * available)
    if count > available:
        raise InputError(f"{name} must be at most {available}, the number of items there are, got {size!r}", got=size)
    return count
