"""What stands of a question: the log folded, one event at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from askwell.store.record import Asked, Event, events, people, questions

__all__ = [
    "ANSWERED",
    "OUT",
    "REMOVED",
    "RESERVED",
    "SKIPPED",
    "STATES",
    "UNASKED",
    "UNSURE",
    "Answer",
    "Ballot",
    "ballots",
]

STATES = ("unasked", "skipped", "unsure", "answered", "out", "reserved", "removed")
"""States by their code. An item with several questions has the highest of their codes."""
UNASKED, SKIPPED, UNSURE, ANSWERED, OUT, RESERVED, REMOVED = range(7)


@dataclass(frozen=True, slots=True)
class Answer:
    """One standing answer; `seq` is the event that gave its present value, `text` is None when unsure."""

    seq: int
    item: int
    annotator: str
    text: str | None
    cost: float
    seconds: float
    also: bool


@dataclass(slots=True)
class Ballot:
    """Standing answers to one question, or volunteered ones about one item (`asked` is None).

    known      who can be asked, and the newest event when each was first known
    answers    by the event that first gave them
    declined   annotators who skipped, with the event
    retracted  first event of an answer -> the event that took it back
    cleared    (item, annotator) -> the retract or reopen that took his answer away
    last       newest event about the question itself; a label for a further item changes nothing here
    """

    asked: Asked | None
    known: Mapping[str, int]
    answers: dict[int, Answer] = field(default_factory=dict)
    declined: dict[str, int] = field(default_factory=dict)
    retracted: dict[int, int] = field(default_factory=dict)
    cleared: dict[tuple[int, str], int] = field(default_factory=dict)
    closed: int = 0
    last: int = 0

    def apply(self, event: Event) -> None:
        """Takes one more event, in the order of the log."""
        FOLDS[event.verb](self, event)
        if event.verb != "also":
            self.last = event.seq

    def answer(self, item: int, annotator: str) -> Answer | None:
        """What this annotator has answered about this item, if it stands."""
        for one in self.answers.values():
            if one.annotator == annotator and one.item == item:
                return one
        return None

    @property
    def voters(self) -> set[str]:
        """Who has answered the question, unsure included."""
        return {one.annotator for one in self.answers.values() if not one.also}

    @property
    def exhausted(self) -> bool:
        """Somebody skipped, and nobody who was known at the last event is left."""
        return bool(self.declined) and self.wanted <= self.voters | self.declined.keys()

    @property
    def wanted(self) -> set[str]:
        """Who may answer, as known at the last event."""
        if self.asked and self.asked.asked_of:
            return {self.asked.asked_of}
        return {name for name, since in self.known.items() if since < self.last}

    @property
    def remaining(self) -> int:
        """Answers still wanted."""
        if self.asked is None or self.closed or self.exhausted:
            return 0
        return max(0, self.asked.answers - len(self.voters))

    @property
    def state(self) -> int:
        """Code of the question's state."""
        if self.remaining:
            return OUT
        own = [one for one in self.answers.values() if not one.also]
        if any(one.text is not None for one in own):
            return ANSWERED
        return UNSURE if own else SKIPPED

    def _answer(self, event: Event) -> None:
        self.answers[event.seq] = Answer(
            event.seq, event.item, event.annotator, event.text, event.cost, event.seconds, event.verb == "also"
        )
        if event.verb != "also":
            self.declined.pop(event.annotator, None)

    def _skip(self, event: Event) -> None:
        self.declined[event.annotator] = event.seq

    def _correct(self, event: Event) -> None:
        root = _reference(event)
        old = self.answers[root]
        cost, seconds = old.cost + event.cost, old.seconds + event.seconds
        self.answers[root] = replace(old, seq=event.seq, text=event.text, cost=cost, seconds=seconds)

    def _retract(self, event: Event) -> None:
        root = _reference(event)
        old = self.answers.pop(root)
        self.retracted[root] = self.cleared[old.item, old.annotator] = event.seq

    def _reopen(self, event: Event) -> None:
        for root in [root for root, one in self.answers.items() if one.text is None]:
            old = self.answers.pop(root)
            self.cleared[old.item, old.annotator] = event.seq
        self.declined.clear()
        self.closed = 0

    def _close(self, event: Event) -> None:
        self.closed = event.seq


FOLDS = {
    "label": Ballot._answer, "unsure": Ballot._answer, "also": Ballot._answer, "skip": Ballot._skip,
    "correct": Ballot._correct, "retract": Ballot._retract, "reopen": Ballot._reopen, "close": Ballot._close,
}  # fmt: skip


def _reference(event: Event) -> int:
    assert event.refers is not None, f"event {event.seq} changes an answer but names none"
    return event.refers


def ballots(connection: sqlite3.Connection, upto: int | None = None) -> Iterator[Ballot]:
    """Ballots of all questions asked by event `upto`, in question order, then of volunteered items, in item order."""
    upto = 2**62 if upto is None else upto
    names = people(connection)
    said = events(connection, "WHERE question IS NOT NULL AND seq <= ? ORDER BY question, seq", (upto,))
    groups = groupby(said, key=lambda event: event.question)
    current, group = next(groups, (None, iter(())))
    for asked in questions(connection, "JOIN round ON round.n = question.round WHERE seen <= ? ORDER BY 1", (upto,)):
        ballot = Ballot(asked, names)
        if current == asked.id:
            _fold(ballot, group)
            current, group = next(groups, (None, iter(())))
        yield ballot
    said = events(connection, "WHERE question IS NULL AND seq <= ? ORDER BY item, seq", (upto,))
    for _, group in groupby(said, key=lambda event: event.item):
        yield _fold(Ballot(None, names), group)


def _fold(ballot: Ballot, said: Iterator[Event]) -> Ballot:
    for event in said:
        ballot.apply(event)
    return ballot
