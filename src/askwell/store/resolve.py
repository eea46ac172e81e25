"""Several answers about one thing to one label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from askwell.core.store import Resolve, Vote
from askwell.store.packing import canonical

__all__ = ["RESOLVERS", "last", "majority"]


def last(votes: Sequence[Vote]) -> Any:
    """The newest answer.

    >>> last([Vote(4, 1, 0, "", "ann", "cat", 1.0, 0.0), Vote(2, 1, 0, "", "bob", "dog", 1.0, 0.0)])
    'cat'
    """
    return max(votes, key=lambda vote: vote.seq).value


def majority(votes: Sequence[Vote]) -> Any:
    """The most frequent answer; of equally frequent ones, that whose first vote came first.

    Labels are equal when their canonical JSON is.

    >>> majority([Vote(2, 1, 0, "", "bob", "dog", 1.0, 0.0), Vote(4, 1, 0, "", "ann", "cat", 1.0, 0.0)])
    'dog'
    """
    if len(votes) == 1:
        return votes[0].value
    ordered = sorted(votes, key=lambda vote: vote.seq)
    counts = Counter(canonical(vote.value) for vote in ordered)
    winner = counts.most_common(1)[0][0]
    return next(vote.value for vote in ordered if canonical(vote.value) == winner)


RESOLVERS: dict[str, Resolve] = {"last": last, "majority": majority}
