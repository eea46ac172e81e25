"""Rows of the store as values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from askwell.core.store import Edit
from askwell.store.packing import unpack

__all__ = ["RECORD", "Asked", "Event", "RoundRow", "Segment", "edits", "events", "known", "people", "questions"]

RECORD = "record"
"""Kind of annotators who are no people: labels that came with data, and what the project itself did."""


class Event(NamedTuple):
    """One thing that was said. `text` is the value as canonical JSON, None for verbs without one."""

    seq: int
    at: float
    verb: str
    question: int | None
    item: int
    annotator: str
    text: str | None
    cost: float
    seconds: float
    refers: int | None
    token: str | None

    @property
    def value(self) -> Any:
        """The value itself."""
        return None if self.text is None else json.loads(self.text)


class Asked(NamedTuple):
    """One question as it was planned: `rank` 0 was wanted most; `answers` annotators are wanted."""

    id: int
    round: int
    rank: int
    item: int
    unit: str
    form: str
    answers: int
    asked_of: str | None
    score: float | None
    shown: Any


@dataclass(frozen=True)
class RoundRow:
    """One planned round.

    basis    last event that its model knew; `weights` is that model's hash
    state    the strategy's next state, or None; `facts` is what else the planner wanted recorded
    questions  how many were asked
    """

    round: int
    at: float
    basis: int
    state: Any
    weights: str
    facts: dict[str, Any]
    questions: int


class Segment(NamedTuple):
    """A stretch of the pool: the data ("data") that the store was made with or that were added, or made items ("made").

    source  where they come from, in the words of whoever entered them
    """

    start: int
    n: int
    kind: str
    source: str
    digest: str | None


EVENTS = """SELECT seq, at, verb, question, item, name, value, cost, seconds, refers, token
    FROM event JOIN annotator ON annotator.id = event.annotator """
QUESTIONS = """SELECT question.id, question.round, rank, question.item, unit, form, answers, name, score, shown
    FROM question LEFT JOIN annotator ON annotator.id = asked_of """


def events(connection: sqlite3.Connection, where: str = "", values: Iterable[Any] = ()) -> Iterator[Event]:
    """Events that satisfy the rest of a query."""
    return map(Event._make, connection.execute(EVENTS + where, tuple(values)))


def questions(
    connection: sqlite3.Connection, where: str = "", values: Iterable[Any] | dict[str, Any] = ()
) -> Iterator[Asked]:
    """Questions that satisfy the rest of a query."""
    for row in connection.execute(QUESTIONS + where, values if isinstance(values, dict) else tuple(values)):
        yield Asked._make((*row[:-1], None if row[-1] is None else unpack(row[-1])))


def known(connection: sqlite3.Connection) -> dict[str, int]:
    """Annotators in the order in which they came, with the newest event at that time."""
    return dict(connection.execute("SELECT name, since FROM annotator ORDER BY id"))


def people(connection: sqlite3.Connection) -> dict[str, int]:
    """As `known`, those alone who can be asked."""
    return dict(connection.execute("SELECT name, since FROM annotator WHERE kind <> ? ORDER BY id", (RECORD,)))


def edits(connection: sqlite3.Connection) -> list[Edit]:
    """All changes of the project, oldest first."""
    rows = connection.execute("SELECT id, at, seen, kind, body FROM edit ORDER BY id")
    return [Edit(number, at, seen, kind, unpack(body)) for number, at, seen, kind, body in rows]
