"""Who gets which question next. Leases are wall clock and in no way evidence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from askwell.store.ballot import OUT, Ballot, ballots

__all__ = ["expire", "free", "lease", "rebuild", "settle"]

MINE = """SELECT question FROM lease JOIN standing USING (question)
    WHERE annotator = ? AND state = ? ORDER BY question LIMIT ?"""
NEXT = """SELECT s.question FROM standing s JOIN question q ON q.id = s.question
    WHERE s.free > 0 AND (q.asked_of IS NULL OR q.asked_of = :who)
    AND NOT EXISTS (SELECT 1 FROM done WHERE question = s.question AND annotator = :who)
    AND NOT EXISTS (SELECT 1 FROM lease WHERE question = s.question AND annotator = :who)
    {which} ORDER BY s.question LIMIT :n"""
BEFORE = """EXISTS (SELECT 1 FROM question o JOIN event e ON e.question = o.id WHERE o.item = q.item
    AND o.unit = q.unit AND o.id <> q.id AND e.annotator = :who AND e.verb IN ('label', 'unsure'))"""
FRESH, AGAIN = NEXT.format(which=f"AND NOT {BEFORE}"), NEXT.format(which=f"AND {BEFORE}")
COUNT = """UPDATE standing SET free = max(0, remaining - (SELECT count(*) FROM lease
    WHERE lease.question = standing.question)) WHERE question = ?"""


def lease(connection: sqlite3.Connection, n: int, who: int, until: float, again: bool = True) -> list[int]:
    """Up to n questions for this annotator: those that he holds, then free ones, all in the order of planning.

    again  also what he has answered in another question, last: a second opinion is somebody else's
    """
    held = [row for (row,) in connection.execute(MINE, (who, OUT, n))]
    found: list[int] = []
    for which in (FRESH, AGAIN) if again else (FRESH,):
        left = n - len(held) - len(found)
        found += [row for (row,) in connection.execute(which, {"who": who, "n": left})]
    rows = [(question, who, until) for question in held + found]
    connection.executemany("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", rows)
    free(connection, found)
    return held + found


def expire(connection: sqlite3.Connection, now: float) -> None:
    """Ends the leases whose time is over; the questions are free for the next annotator."""
    over = connection.execute("DELETE FROM lease WHERE until <= ? RETURNING question", (now,)).fetchall()
    free(connection, (question for (question,) in over))


def free(connection: sqlite3.Connection, questions: Iterable[int]) -> None:
    """Counts anew how many wanted answers of these questions nobody holds."""
    connection.executemany(COUNT, [(question,) for question in questions])


def settle(connection: sqlite3.Connection, ballot: Ballot, speaker: int) -> None:
    """Brings the queue up to date after an event of this ballot."""
    assert ballot.asked is not None
    question, state = ballot.asked.id, ballot.state
    connection.execute("DELETE FROM done WHERE question = ?", (question,))
    if state == OUT:
        connection.execute("DELETE FROM lease WHERE question = ? AND annotator = ?", (question, speaker))
        _done(connection, [ballot])
    else:
        connection.execute("DELETE FROM lease WHERE question = ?", (question,))
    connection.execute(
        "UPDATE standing SET state = ?, remaining = ? WHERE question = ?", (state, ballot.remaining, question)
    )
    free(connection, [question])


def rebuild(connection: sqlite3.Connection) -> None:
    """Makes the derived tables again from the log; leases are forgotten, so every open question is free."""
    for table in ("lease", "done", "standing"):
        connection.execute(f"DELETE FROM {table}")
    asked = [(ballot, ballot.asked) for ballot in ballots(connection) if ballot.asked]
    connection.executemany(
        "INSERT INTO standing VALUES (?, ?, ?, ?, ?)",
        [(one.id, one.item, ballot.state, ballot.remaining, ballot.remaining) for ballot, one in asked],
    )
    _done(connection, [ballot for ballot, _ in asked if ballot.state == OUT])


def _done(connection: sqlite3.Connection, open_: Iterable[Ballot]) -> None:
    connection.executemany(
        "INSERT INTO done SELECT ?, id FROM annotator WHERE name = ?",
        [
            (ballot.asked.id, name)
            for ballot in open_
            if ballot.asked
            for name in sorted(ballot.voters | ballot.declined.keys())
        ],
    )
