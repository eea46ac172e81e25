"""Several answers about one thing to one label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum
from typing import Any

from askwell.core.store import Resolve, Vote
from askwell.errors import BadLabel
from askwell.store.packing import canonical

__all__ = ["RESOLVERS", "last", "majority", "mean"]


def last(votes: Sequence[Vote]) -> Any:
    """The newest answer.

    >>> last([Vote(4, 1, 0, "", "ann", "cat", 1.0, 0.0), Vote(2, 1, 0, "", "bob", "dog", 1.0, 0.0)])
    'cat'
    """
    return max(votes, key=lambda vote: vote.seq).value


def majority(votes: Sequence[Vote]) -> Any:
    """The most frequent answer; of equally frequent ones, that whose first vote came first.

    Labels are equal when their canonical JSON is. Of answers that are lists of names each name counts by itself: the
    label holds those that more than half of the answers have, in the order in which they are first said. A tie is none.

    >>> majority([Vote(2, 1, 0, "", "bob", "dog", 1.0, 0.0), Vote(4, 1, 0, "", "ann", "cat", 1.0, 0.0)])
    'dog'
    >>> said = (["sky", "tree"], ["car", "sky"], ["sky"])
    >>> majority([Vote(seq, 1, 0, "", "ann", names, 1.0, 0.0) for seq, names in enumerate(said)])
    ['sky']
    """
    if len(votes) == 1:
        return votes[0].value
    ordered = sorted(votes, key=lambda vote: vote.seq)
    if all(_names(vote.value) for vote in ordered):
        return _each_name([vote.value for vote in ordered])
    counts = Counter(canonical(vote.value) for vote in ordered)
    winner = counts.most_common(1)[0][0]
    return next(vote.value for vote in ordered if canonical(vote.value) == winner)


def mean(votes: Sequence[Vote]) -> float:
    """The mean of answers that are numbers; raises `BadLabel` for others.

    >>> mean([Vote(2, 1, 0, "", "bob", 3.0, 1.0, 0.0), Vote(4, 1, 0, "", "ann", 4.0, 1.0, 0.0)])
    3.5
    """
    values = [vote.value for vote in votes]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadLabel(f"answer {value!r} has no mean, for it is no number: resolve by 'majority'", got=value)
    return fsum(values) / len(values)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _each_name(answers: Sequence[list[str]]) -> list[str]:
    """Names that more than half of the answers have."""
    counts = Counter(name for names in answers for name in dict.fromkeys(names))
    return [name for name, count in counts.items() if 2 * count > len(answers)]


RESOLVERS: dict[str, Resolve] = {"last": last, "majority": majority, "mean": mean}
