"""The label store: every question and answer of a project in one SQLite file, which is also its checkpoint."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.oracle import Annotation
from askwell.core.store import Edit, Labelled, Resolve, Row, Vote
from askwell.errors import Conflict, InputError, NeverAsked, ProjectError
from askwell.store import edits, items, log, plan, queue, votes
from askwell.store.ballot import OUT, RESERVED, STATES, UNASKED
from askwell.store.connection import Connections, Mode
from askwell.store.migrations import migrate
from askwell.store.packing import canonical, pack, unpack
from askwell.store.record import Asked, Event, RoundRow, Segment, events, known, people, questions
from askwell.store.record import edits as changes

if TYPE_CHECKING:
    from askwell.core.view import Batch

__all__ = ["Store", "open_store"]

ROUNDS = """SELECT n, at, basis, state, weights, facts, (SELECT count(*) FROM question WHERE round = n)
    FROM round ORDER BY n"""
STATE = "SELECT n, state FROM round WHERE state IS NOT NULL ORDER BY n DESC LIMIT 1"
MADE = "SELECT item, parent, round, role, how, payload FROM made ORDER BY item"
PENDING = """JOIN standing ON standing.question = question.id WHERE state = :out AND (:name IS NULL OR
    ((name IS NULL OR name = :name) AND NOT EXISTS (SELECT 1 FROM done JOIN annotator a ON a.id = done.annotator
    WHERE done.question = question.id AND a.name = :name))) ORDER BY question.id"""


def open_store(path: str | Path, mode: Mode = "rw", create: bool = False) -> Store:
    """Opens the label store in this file and brings an older one up to date.

    mode    "rw", or "ro": everything that records raises `NotWritable`
    create  makes the file if it is missing; without it a missing file raises `ProjectError`

    >>> import tempfile
    >>> with open_store(tempfile.mkdtemp() + "/labels.db", create=True) as store:
    ...     store.grow(3, "data", "three pictures")
    ...     store.tell(Annotation(None, "ann", item=1, value="cat"), volunteered=True)
    ...     store.unasked
    range(0, 3)
    1
    array([0, 2])
    """
    if mode not in ("rw", "ro"):
        raise InputError(f"unknown mode {mode!r}: use 'rw' or 'ro'", got=mode)
    path = Path(path)
    if not path.exists() and (mode == "ro" or not create):
        raise ProjectError(f"there is no label store at {path}")
    connections = Connections(path, mode, create)
    try:
        migrate(connections, create)
    except BaseException:
        connections.close()
        raise
    return Store(connections)


class Store:
    """Append-only; implements `core.store.LabelStore`. Safe between threads and between processes.

    What `tell` acknowledged is on the disk. States, leases and queues are derived from the record and can be made
    again from it by `rebuild`.
    """

    def __init__(self, connections: Connections) -> None:
        """Use `open_store`."""
        self.connections = connections
        self._items = items.Items()
        self._read: tuple[int, tuple[Vote, ...]] = (0, ())

    # ------------------------------------------------------------------ the pool

    def __len__(self) -> int:
        """Number of items."""
        with self.connections.read() as connection:
            return items.size(connection)

    def grow(self, n: int, kind: str, source: str, digest: str | None = None) -> range:
        """Adds n items to the end of the pool and returns their positions."""
        with self.connections.write() as connection:
            return plan.grow(connection, n, kind, source, digest)

    def reserve(self, role: str, ids: Sequence[int] | NDArray[np.int64]) -> None:
        """Sets items apart, for good: "validation", "test" or "aside" items are never asked nor labelled.

        The same role twice with the same items is fine, with other items a `Conflict`; so are items that were asked.
        """
        rows = np.unique(np.asarray(ids, np.int64))
        with self.connections.write() as connection:
            items.reserve(connection, self._items.refresh(connection), role, rows)

    def reserved(self, role: str | None = None) -> NDArray[np.int64]:
        """Items of this role, or of all, ascending; none if nothing was reserved for it."""
        with self.connections.read() as connection:
            return items.reserved(connection, role)

    def segments(self) -> list[Segment]:
        """All stretches of the pool, in their order."""
        with self.connections.read() as connection:
            rows = connection.execute("SELECT start, n, kind, source, digest FROM segment ORDER BY start")
            return [Segment._make(row) for row in rows]

    def made(self) -> list[dict[str, Any]]:
        """Synthesised items: item, parent, round, role, how, payload (an array for what was a tensor)."""
        names = ("item", "parent", "round", "role", "how")
        with self.connections.read() as connection:
            rows = connection.execute(MADE).fetchall()
        return [{**dict(zip(names, row, strict=False)), "payload": unpack(row[-1])} for row in rows]

    # ------------------------------------------------------------------ edits

    def edit(self, kind: str, body: Mapping[str, Any], *, known: int | None = None) -> int:
        """Records a change of the project that its engine understands, and returns its number.

        known  the number of edits that the caller has seen: with another number it is a `StaleBasis`
        """
        with self.connections.write() as connection:
            edits.check_known(connection, known)
            return edits.write(connection, kind, body)

    def extend(
        self,
        n: int,
        source: str,
        digest: str,
        labels: Mapping[int, Any] | None = None,
        *,
        annotator: str = "data",
        known: int | None = None,
    ) -> range:
        """Adds n items behind all others, with the labels that came with them, and returns their positions.

        All or nothing: the segment, an edit of kind "add", and per label a volunteered answer. labels: by place among
        the new items; known: as for `edit`.
        """
        with self.connections.write() as connection:
            edits.check_known(connection, known)
            return edits.extend(connection, n, source, digest, labels or {}, annotator)

    def remove(
        self, ids: Sequence[int] | NDArray[np.int64], *, annotator: str = "project", known: int | None = None
    ) -> NDArray[np.int64]:
        """Takes items out for good and returns those that were still there; their answers stay in the record.

        They are never asked, planned or labelled again, and questions about them are closed, in the same transaction.
        """
        rows = np.unique(np.asarray(ids, np.int64))
        with self.connections.write() as connection:
            edits.check_known(connection, known)
            return edits.remove(connection, self._items.refresh(connection), rows, annotator)

    def edits(self) -> list[Edit]:
        """All changes of the project, oldest first."""
        with self.connections.read() as connection:
            return changes(connection)

    @property
    def edited(self) -> int:
        """Number of edits."""
        return self._count("edit")

    # ------------------------------------------------------------------ planning

    def plan(
        self,
        round: int,
        batch: Batch,
        *,
        basis: int,
        answers: int = 1,
        form: str = "label",
        weights: str = "",
        facts: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> None:
        """Records a round: its questions, made items and strategy state, all or nothing.

        The same round with the same content changes nothing; with other content it is a `Conflict`. A basis older than
        the latest fit's is a `StaleBasis`. An item that was asked or has a volunteered label is a `Conflict`, unless it
        is asked for another unit or of another annotator.

        answers  annotators wanted per question
        weights  hash of the model that chose; `facts`: what else is worth keeping, as JSON (strategy, seed, …)
        again    items may be asked once more, for strategies that ask any item
        """
        planned = plan.Plan.of(round, batch, basis, answers, form, weights, facts or {})
        with self.connections.write() as connection:
            plan.write_plan(connection, self._items.refresh(connection), planned, again)

    def rounds(self) -> list[RoundRow]:
        """All planned rounds."""
        with self.connections.read() as connection:
            rows = connection.execute(ROUNDS).fetchall()
        return [
            RoundRow(n, at, basis, None if state is None else unpack(state), weights, unpack(facts), count)
            for n, at, basis, state, weights, facts, count in rows
        ]

    @property
    def planned(self) -> int:
        """Number of planned rounds."""
        return self._count("round")

    @property
    def reported(self) -> int:
        """Number of reports."""
        return self._count("report")

    def _count(self, table: str) -> int:
        with self.connections.read() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def questions(self, round: int | None = None) -> list[Asked]:
        """Questions of one round, or of all, in the order of planning."""
        with self.connections.read() as connection:
            where = "WHERE ?1 IS NULL OR question.round = ?1 ORDER BY question.id"
            return list(questions(connection, where, (round,)))

    @property
    def state(self) -> Mapping[str, Any]:
        """The strategy's latest state; empty when it has none. Arrays come back as arrays, tensors too."""
        with self.connections.read() as connection:
            found = connection.execute(STATE).fetchone()
            kept = connection.execute("SELECT value FROM meta WHERE key = 'state'").fetchone()
        remembered: dict[str, Any] = unpack(kept[0]) if kept else {"round": 0, "state": {}}
        return dict(unpack(found[1]) if found and found[0] >= remembered["round"] else remembered["state"])

    def remember(self, round: int, state: Mapping[str, Any]) -> None:
        """Keeps a strategy's state that comes without a question, until a round is planned with a newer one.

        round  number of rounds that are planned; with another number it is a `Conflict`

        What it holds is overwritten by the next: a stream passes over far more items than it asks about.
        """
        with self.connections.write() as connection:
            planned = int(connection.execute("SELECT count(*) FROM round").fetchone()[0])
            if planned != round:
                raise Conflict(f"{planned} rounds are planned and the state is of round {round}: choose again")
            row = ("state", pack({"round": round, "state": state}))
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)

    def write_report(self, round: int, body: Mapping[str, Any]) -> None:
        """Appends what training on a round brought, as JSON; its "basis" is the newest event that the fit knew."""
        with self.connections.write() as connection:
            row = (round, time.time(), pack(body))
            connection.execute("INSERT INTO report (round, at, body) VALUES (?, ?, ?)", row)

    def reports(self) -> list[dict[str, Any]]:
        """Bodies of all reports, oldest first."""
        with self.connections.read() as connection:
            return [unpack(body) for (body,) in connection.execute("SELECT body FROM report ORDER BY id")]

    # ------------------------------------------------------------------ asking

    def register(self, names: Sequence[str], kind: str = "") -> None:
        """Makes annotators known before they answer: an item is skipped once all who are known have skipped it."""
        with self.connections.write() as connection:
            for name in names:
                log.annotator(connection, name, kind)

    @property
    def annotators(self) -> list[str]:
        """Names of all who are known; a batch refers to them by their place in this list."""
        with self.connections.read() as connection:
            return list(known(connection))

    @property
    def people(self) -> dict[str, int]:
        """All who may be asked, by their place in the list of annotators."""
        with self.connections.read() as connection:
            may = people(connection)
            return {name: place for place, name in enumerate(known(connection)) if name in may}

    def take(self, n: int, annotator: str, seconds: float = 600.0, *, again: bool = True) -> list[Row]:
        """Up to n questions for this annotator, those that he holds first; he holds them for `seconds`.

        Taking again gives the same questions. Nobody gets a question that he has answered or skipped; an item about
        which he has answered another question comes last, or, without `again`, not at all.
        """
        now = time.time()
        with self.connections.lend() as connection:
            queue.expire(connection, now)
            found = queue.lease(connection, n, log.annotator(connection, annotator), now + seconds, again)
            where = "WHERE question.id IN (SELECT value FROM json_each(?))"
            rows = {asked.id: _row(asked) for asked in questions(connection, where, (canonical(found),))}
        return [rows[question] for question in found]

    def give_back(self, question: int, annotator: str) -> None:
        """Frees a question for the next annotator; nothing happens if this one does not hold it."""
        with self.connections.lend() as connection:
            connection.execute(
                "DELETE FROM lease WHERE question = ? AND annotator = (SELECT id FROM annotator WHERE name = ?)",
                (question, annotator),
            )
            queue.free(connection, [question])

    def pending(self, annotator: str | None = None) -> list[Row]:
        """Questions that still want an answer, or those that still want this annotator's."""
        with self.connections.read() as connection:
            return [_row(asked) for asked in questions(connection, PENDING, {"out": OUT, "name": annotator})]

    # ------------------------------------------------------------------ telling

    def tell(self, annotation: Annotation, *, volunteered: bool = False, known: int | None = None) -> int:
        """Records what was said and returns its number once it is on the disk.

        The same token, or the same answer by the same annotator, gives the old number; another answer by the same
        annotator is a `Conflict`, which `correct` resolves. Late answers and second opinions are kept. A label for an
        item that was not asked is `NeverAsked` unless `volunteered`.
        """
        return self.tell_many([annotation], volunteered=volunteered, known=known)[0]

    def tell_many(
        self, annotations: Sequence[Annotation], *, volunteered: bool = False, known: int | None = None
    ) -> list[int]:
        """Records all or, if one of them is refused, none; one sync. known: as for `edit`."""
        with self.connections.write() as connection:
            edits.check_known(connection, known)
            self._check_items(connection, annotations)
            return [log.record(connection, annotation, volunteered) for annotation in annotations]

    def _check_items(self, connection: sqlite3.Connection, annotations: Sequence[Annotation]) -> None:
        """Refuses labels for further items, and questions opened again, about items that are never asked."""
        named = [one.item for one in annotations if one.question is None or one.verb == "also"]
        further = [item for item in named if item is not None]
        again = [one.question for one in annotations if one.verb == "reopen"]
        if again:
            where = "WHERE question.id IN (SELECT value FROM json_each(?))"
            further += [asked.item for asked in questions(connection, where, (canonical(again),))]
        if further:
            items.check_range(connection, further)
            items.refuse_reserved(self._items.refresh(connection), further)

    def answer_of(self, question: int, annotator: str) -> int:
        """The event that gave this annotator's standing answer: what `correct` and `retract` refer to."""
        with self.connections.read() as connection:
            asked = next(questions(connection, "WHERE question.id = ?", (question,)), None)
            if asked is None:
                raise NeverAsked(f"question {question} was never asked")
            found = log.ballot_of(connection, asked, asked.item).answer(asked.item, annotator)
        if found is None:
            raise ProjectError(f"{annotator!r} has no answer to question {question} that could be changed")
        return found.seq

    def history(self, upto: int | None = None) -> list[Event]:
        """Everything that was said, oldest first."""
        with self.connections.read() as connection:
            return list(events(connection, "WHERE ?1 IS NULL OR seq <= ?1 ORDER BY seq", (upto,)))

    # ------------------------------------------------------------------ labels

    def votes(self, upto: int | None = None) -> Iterator[Vote]:
        """Standing answers as of an event: by question, then by event; volunteered ones last, by item.

        O(log), and O(1) for the event that was read last: what was said up to an event never changes.
        """
        return iter(self._standing(upto)[1])

    def labelled(self, resolve: Resolve, upto: int | None = None) -> Labelled:
        """Labels as of an event, one per item and unit, in question order; costs as `votes`, plus O(votes)."""
        basis, found = self._standing(upto)
        return votes.labelled(found, resolve, basis)

    def _standing(self, upto: int | None) -> tuple[int, tuple[Vote, ...]]:
        with self.connections.read() as connection:
            basis = log.last(connection) if upto is None else upto
            if basis > log.last(connection):
                raise InputError(f"there is no event {basis} yet: the log has {log.last(connection)}", got=basis)
            if self._read[0] != basis:
                self._read = basis, tuple(votes.standing(connection, basis))
            return self._read

    # ------------------------------------------------------------------ where things stand

    def states(self, upto: int | None = None) -> NDArray[np.uint8]:
        """(len,) codes of `STATES`, read-only; as of an event they are replayed from the record."""
        with self.connections.read() as connection:
            return self._items.refresh(connection) if upto is None else items.replay(connection, upto)

    def counts(self) -> dict[str, int]:
        """Number of items in each state: asked = answered + out + skipped + unsure, less volunteered ones."""
        found = np.bincount(self.states(), minlength=len(STATES))
        return {state: int(n) for state, n in zip(STATES, found, strict=True)}

    @property
    def unasked(self) -> NDArray[np.int64]:
        """Positions that may still be asked, ascending."""
        return np.flatnonzero(self.states() == UNASKED)

    @property
    def askable(self) -> NDArray[np.int64]:
        """Positions that are neither reserved nor removed, asked or not, ascending."""
        return np.flatnonzero(self.states() < RESERVED)

    @property
    def last(self) -> int:
        """Number of the newest event, 0 when there is none."""
        with self.connections.read() as connection:
            return log.last(connection)

    @property
    def cost(self) -> float:
        """What all answers have cost, changed and retracted ones included."""
        return self._total("cost")

    @property
    def seconds(self) -> float:
        """What time all answers have taken."""
        return self._total("seconds")

    def _total(self, column: str) -> float:
        with self.connections.read() as connection:
            return float(connection.execute(f"SELECT ifnull(sum({column}), 0.0) FROM event").fetchone()[0])

    # ------------------------------------------------------------------ the file

    @property
    def path(self) -> Path:
        """The file."""
        return self.connections.path

    def meta(self, key: str, default: Any = None) -> Any:
        """A remark of `set_meta`."""
        with self.connections.read() as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(found[0]) if found else default

    def set_meta(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key; the only thing here that can be overwritten."""
        with self.connections.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, canonical(value)))

    def rebuild(self) -> None:
        """Makes everything that is derived again from the record; leases end."""
        with self.connections.write() as connection:
            queue.rebuild(connection)
            self._items = items.Items()

    def close(self) -> None:
        """Closes the file in all threads."""
        self.connections.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"open_store({str(self.path)!r}, mode={self.connections.mode!r})"


def _row(asked: Asked) -> Row:
    return Row(asked.id, asked.item, asked.unit, asked.form, asked.asked_of, asked.round, asked.score, asked.shown)
