"""Standing answers, and the labels that they resolve to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator

import numpy as np

from askwell.core.store import Labelled, Resolve, Vote
from askwell.store.ballot import Ballot, ballots

__all__ = ["labelled", "standing"]


def standing(connection: sqlite3.Connection, upto: int | None) -> Iterator[Vote]:
    """Standing answers as of an event: by question, then by event; volunteered ones last, by item."""
    for ballot in ballots(connection, upto):
        yield from _votes(ballot)


def _votes(ballot: Ballot) -> list[Vote]:
    asked = ballot.asked
    found = [
        Vote(
            one.seq,
            asked.id if asked else None,
            one.item,
            asked.unit if asked and not one.also else "",
            one.annotator,
            json.loads(one.text),
            one.cost,
            one.seconds,
            asked is None,
        )
        for one in ballot.answers.values()
        if one.text is not None
    ]
    return sorted(found, key=lambda vote: vote.seq) if len(found) > 1 else found


def labelled(votes: Iterable[Vote], resolve: Resolve, basis: int) -> Labelled:
    """One label per item and unit, in question order."""
    places: dict[tuple[int, str], list[Vote]] = {}
    for vote in votes:
        places.setdefault((vote.item, vote.unit), []).append(vote)
    rows = [(item, resolve(said), said[0].question, unit) for (item, unit), said in places.items()]
    rows = [row for row in rows if row[1] is not None]
    return Labelled(
        np.array([row[0] for row in rows], np.int64),
        [row[1] for row in rows],
        np.array([-1 if row[2] is None else row[2] for row in rows], np.int64),
        basis,
        tuple(row[3] for row in rows),
    )
