"""Appending to the log."""

from __future__ import annotations

import sqlite3
import time

from askwell.core.oracle import Annotation
from askwell.errors import Conflict, InputError, NeverAsked
from askwell.store.ballot import Ballot
from askwell.store.packing import label
from askwell.store.queue import settle
from askwell.store.record import Asked, Event, events, people, questions
from askwell.store.rules import Said, admit

__all__ = ["annotator", "ballot_of", "last", "record"]

APPEND = """INSERT INTO event (at, verb, question, item, annotator, value, cost, seconds, refers, token)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def last(connection: sqlite3.Connection) -> int:
    """Sequence number of the newest event, 0 when there is none."""
    return int(connection.execute("SELECT ifnull(max(seq), 0) FROM event").fetchone()[0])


def annotator(connection: sqlite3.Connection, name: str, kind: str = "") -> int:
    """Number of this annotator, who is known from now on."""
    if not isinstance(name, str) or not name:
        raise InputError(f"an annotator needs a name, got {name!r}", got=name)
    found = connection.execute("SELECT id FROM annotator WHERE name = ?", (name,)).fetchone()
    if found:
        return int(found[0])
    made = connection.execute(
        "INSERT INTO annotator (name, kind, since) VALUES (?, ?, ?)", (name, kind, last(connection))
    )
    return int(made.lastrowid or 0)


def ballot_of(connection: sqlite3.Connection, asked: Asked | None, item: int) -> Ballot:
    """The ballot of one question, or of one item's volunteered answers."""
    where, value = ("question = ?", asked.id) if asked else ("question IS NULL AND item = ?", item)
    ballot = Ballot(asked, people(connection))
    for event in events(connection, f"WHERE {where} ORDER BY seq", (value,)):
        ballot.apply(event)
    return ballot


def record(connection: sqlite3.Connection, annotation: Annotation, volunteered: bool, kind: str = "") -> int:
    """Appends one annotation and returns its number; said before, by token or by content, it has its old number.

    kind  of the annotator, where he is new
    """
    asked = _asked(connection, annotation, volunteered)
    said = _said(annotation, asked)
    before = _repeated(connection, said)
    if before:
        return before
    who = annotator(connection, said.annotator, kind)
    ballot = ballot_of(connection, asked, said.item)
    found = admit(ballot, said)
    return found if isinstance(found, int) else _append(connection, ballot, found, who)


def _append(connection: sqlite3.Connection, ballot: Ballot, said: Said, who: int) -> int:
    at = time.time()
    rest = (said.text, said.cost, said.seconds, said.refers, said.token)
    seq = int(connection.execute(APPEND, (at, said.verb, said.question, said.item, who, *rest)).lastrowid or 0)
    ballot.apply(Event(seq, at, said.verb, said.question, said.item, said.annotator, *rest))
    if ballot.asked:
        settle(connection, ballot, who)
    return seq


def _asked(connection: sqlite3.Connection, annotation: Annotation, volunteered: bool) -> Asked | None:
    if annotation.question is not None:
        asked = next(questions(connection, "WHERE question.id = ?", (annotation.question,)), None)
        if asked is None:
            raise NeverAsked(f"question {annotation.question} was never asked")
        if annotation.verb != "also" and annotation.item not in (None, asked.item):
            raise InputError(f"question {asked.id} is about item {asked.item}, not about item {annotation.item}")
        return asked
    asked = connection.execute("SELECT id FROM question WHERE item = ?", (annotation.item,)).fetchone()
    if annotation.verb == "label" and volunteered and asked:
        raise Conflict(
            f"item {annotation.item} was asked about in question {asked[0]}: answer or correct that question"
        )
    if annotation.verb == "label" and not volunteered:
        raise NeverAsked(
            f"item {annotation.item} was labelled without being asked: "
            f"pass volunteered=True to keep a label that nobody asked for"
        )
    return None


def _said(annotation: Annotation, asked: Asked | None) -> Said:
    item = annotation.item if annotation.item is not None else asked.item if asked else -1
    if annotation.verb == "also" and annotation.item is None:
        raise InputError(f"'also' for question {annotation.question} must name the further item")
    text = None if annotation.value is None else label(annotation.value)
    return Said(
        annotation.verb,
        annotation.question,
        int(item),
        annotation.annotator,
        text,
        float(annotation.cost),
        float(annotation.seconds),
        annotation.refers,
        annotation.token or None,
    )


def _repeated(connection: sqlite3.Connection, said: Said) -> int:
    if said.token is None:
        return 0
    before = next(events(connection, "WHERE token = ?", (said.token,)), None)
    if before is None:
        return 0
    same = before[2:4] + before[5:7] == (said.verb, said.question, said.annotator, said.text)
    if not same or (said.refers is None and said.item != before.item):
        raise Conflict(
            f"token {said.token!r} was used for event {before.seq}, which says something else: use a new one"
        )
    return before.seq
