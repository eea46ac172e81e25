"""Planning a round: questions, made items and strategy state, in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.errors import Conflict, InputError, StaleBasis
from askwell.store.ballot import OUT
from askwell.store.items import check_range, refuse_reserved, size
from askwell.store.log import last
from askwell.store.packing import canonical, pack

if TYPE_CHECKING:
    from askwell.core.view import Batch

__all__ = ["Plan", "grow", "write_plan"]

QUESTION = """INSERT INTO question (round, rank, item, unit, form, answers, asked_of, score)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
OPEN = f"""INSERT INTO standing SELECT id, item, {OUT}, answers, answers FROM question WHERE round = ?"""
PLACES = """SELECT item, unit, asked_of, round FROM question
    WHERE item IN (SELECT value FROM json_each(?))"""
EXTRA = "SELECT item FROM extra WHERE item IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class Plan:
    """A round as it is to be recorded; `places` are (item, unit, position of the annotator or None), best first."""

    round: int
    basis: int
    answers: int
    form: str
    weights: str
    facts: str
    state: str | None
    places: tuple[tuple[int, str, int | None], ...]
    scores: tuple[float | None, ...]
    made: tuple[tuple[int | None, str, str, str], ...]

    @classmethod
    def of(
        cls, round: int, batch: Batch, basis: int, answers: int, form: str, weights: str, facts: Mapping[str, Any]
    ) -> Plan:
        """The plan of a batch, whose arrays or tensors become plain numbers."""
        items = [int(item) for item in _listed(batch.ids)]
        n = len(items)
        columns = zip(
            items, _filled("units", batch.units, n, ""), _filled("annotators", batch.annotators, n, None), strict=True
        )
        return cls(
            round,
            int(basis),
            int(answers),
            form,
            weights,
            pack(dict(facts)),
            None if batch.state is None else pack(batch.state),
            tuple(columns),
            tuple(_filled("scores", batch.scores, n, None)),
            tuple((one.parent, one.role, one.how, pack(one.payload)) for one in batch.made),
        )

    @property
    def digest(self) -> str:
        """sha256 of everything in it."""
        return hashlib.sha256(canonical(list(vars(self).items())).encode()).hexdigest()


def write_plan(connection: sqlite3.Connection, states: NDArray[np.uint8], plan: Plan, again: bool) -> None:
    """Records the plan; one that is already recorded is left as it is. `states` are those before it."""
    if _planned(connection, plan):
        return
    _check_basis(connection, plan)
    _check_batch(connection, states, plan)
    if not again:
        _check_new(connection, plan)
    row = (plan.round, time.time(), last(connection), plan.basis, plan.state, plan.weights, plan.facts, plan.digest)
    connection.execute("INSERT INTO round VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    _ask(connection, plan, _make(connection, plan))
    connection.execute(OPEN, (plan.round,))


def grow(connection: sqlite3.Connection, n: int, kind: str, source: str, digest: str | None) -> range:
    """Adds n items to the end of the pool."""
    if n < 1:
        raise InputError(f"a pool grows by at least one item, got {n}", got=n)
    start = size(connection)
    connection.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", (start, n, kind, source, digest))
    return range(start, start + n)


def _planned(connection: sqlite3.Connection, plan: Plan) -> bool:
    found = connection.execute("SELECT digest FROM round WHERE n = ?", (plan.round,)).fetchone()
    if found:
        if found[0] != plan.digest:
            raise Conflict(f"round {plan.round} is already planned with other content: plan the next round instead")
        return True
    following = int(connection.execute("SELECT ifnull(max(n) + 1, 0) FROM round").fetchone()[0])
    if plan.round != following:
        raise Conflict(f"round {plan.round} cannot be planned: the next round is {following}")
    return False


def _check_basis(connection: sqlite3.Connection, plan: Plan) -> None:
    newest = last(connection)
    if not 0 <= plan.basis <= newest:
        raise InputError(f"basis {plan.basis} is no event: the log has events up to {newest}", got=plan.basis)
    report = connection.execute("SELECT body FROM report ORDER BY id DESC LIMIT 1").fetchone()
    fitted = json.loads(report[0]).get("basis", 0) if report else 0
    planned = connection.execute("SELECT ifnull(max(basis), 0) FROM round").fetchone()[0]
    if plan.basis < max(fitted, planned):
        raise StaleBasis(
            f"round {plan.round} was chosen by a model that knows events up to {plan.basis}, "
            f"and the latest model knows {max(fitted, planned)}: choose again"
        )


def _check_batch(connection: sqlite3.Connection, states: NDArray[np.uint8], plan: Plan) -> None:
    if plan.answers < 1:
        raise InputError(f"at least one answer per question must be wanted, got {plan.answers}", got=plan.answers)
    if len(set(plan.places)) != len(plan.places):
        raise InputError(f"round {plan.round} asks about the same place twice")
    items = [item for item, _, _ in plan.places]
    check_range(connection, [*items, *(parent for parent, *_ in plan.made if parent is not None)])
    refuse_reserved(states, items)
    for parent, role, _, _ in plan.made:
        if role not in ("ask", "copy") or (role == "copy" and parent is None):
            raise InputError(f"a made item is to 'ask', or a 'copy' with a parent; got role {role!r}, parent {parent}")
    names = int(connection.execute("SELECT count(*) FROM annotator").fetchone()[0])
    for _, _, who in plan.places:
        if who is not None and not 0 <= who < names:
            raise InputError(f"there is no annotator {who}: {names} are known, register them first", got=who)


def _check_new(connection: sqlite3.Connection, plan: Plan) -> None:
    wanted = canonical([item for item, _, _ in plan.places])
    asked: dict[tuple[int, str], dict[int | None, int]] = {}
    for item, unit, who, round in connection.execute(PLACES, (wanted,)):
        asked.setdefault((item, unit), {})[None if who is None else who - 1] = round
    extra = {item for (item,) in connection.execute(EXTRA, (wanted,))}
    for item, unit, who in plan.places:
        before = asked.get((item, unit), {})
        if who in before or (who is None and before):
            where = f"item {item}" + (f", unit {unit!r}," if unit else "")
            raise Conflict(f"{where} was already asked in round {max(before.values())}: choose from the unasked items")
        if item in extra and not unit:
            raise Conflict(f"item {item} has a volunteered label: choose from the unasked items")


def _make(connection: sqlite3.Connection, plan: Plan) -> list[int]:
    if not plan.made:
        return []
    items = grow(connection, len(plan.made), "made", f"round {plan.round}", None)
    rows = [
        (item, parent, plan.round, role, how, payload)
        for item, (parent, role, how, payload) in zip(items, plan.made, strict=True)
    ]
    connection.executemany("INSERT INTO made VALUES (?, ?, ?, ?, ?, ?)", rows)
    return [row[0] for row in rows if row[3] == "ask"]


def _ask(connection: sqlite3.Connection, plan: Plan, made: Sequence[int]) -> None:
    places = [*zip(plan.places, plan.scores, strict=True), *(((item, "", None), None) for item in made)]
    connection.executemany(
        QUESTION,
        [
            (plan.round, rank, item, unit, plan.form, *_wanted(plan, who), score)
            for rank, ((item, unit, who), score) in enumerate(places)
        ],
    )


def _wanted(plan: Plan, who: int | None) -> tuple[int, int | None]:
    """How many answers, and whose: one, of the annotator who is named."""
    return (plan.answers, None) if who is None else (1, who + 1)


def _listed(column: Any) -> list[Any]:
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _filled(name: str, column: Any, n: int, default: Any) -> list[Any]:
    found = [default] * n if column is None else _listed(column)
    if len(found) != n:
        raise InputError(f"a batch of {n} ids has {len(found)} {name}", got=len(found))
    return found
