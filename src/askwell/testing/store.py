"""What every label store promises. A check takes a function that opens the store in a file, making it if it is missing.

The function must pickle (`functools.partial(open_store, create=True)`): two checks call it in another process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from askwell.core.oracle import Annotation
from askwell.core.view import Batch, Made
from askwell.errors import Conflict, NeverAsked, StaleBasis
from askwell.store import Store, export, last, restore
from askwell.testing.check import Check, check, elsewhere, raises

__all__ = [
    "CHECKS",
    "check_another_process_loses_nothing",
    "check_edits_are_made_one_after_the_other",
    "check_edits_change_no_answer",
    "check_every_prefix_replays",
    "check_evidence_cannot_be_changed",
    "check_export_and_import_are_inverse",
    "check_nothing_is_asked_twice",
    "check_old_models_cannot_plan",
    "check_questions_go_to_one_at_a_time",
    "check_removed_items_are_left_alone",
    "check_retries_are_safe",
    "check_states_add_up",
    "check_taken_questions_outlive_their_process",
    "check_told_is_on_the_disk",
    "check_unasked_labels_are_refused",
    "check_votes_follow_the_questions",
]

Open = Callable[[Path], Store]
EVIDENCE = ("segment", "made", "round", "report", "question", "event", "edit")


@contextmanager
def _begun(open_: Open, answers: int = 1) -> Iterator[Store]:
    """A store of 12 items whose round 0 asks items 7, 1, 4, 2 and 9, each of `answers` annotators."""
    with TemporaryDirectory() as folder, open_(Path(folder) / "labels.db") as store:
        store.grow(12, "data", "twelve items")
        store.plan(0, _batch(7, 1, 4, 2, 9), basis=0, answers=answers)
        yield store


def _batch(*ids: int, **more: Any) -> Batch:
    return Batch(torch.tensor(ids), **more)


def _questions(store: Store) -> list[int]:
    return [row.id for row in store.questions()]


def _script(store: Store) -> Iterator[Annotation]:
    """A history in which every kind of answer stands, is changed, and is taken back."""
    first, second, third, fourth = _questions(store)[:4]
    yield Annotation(fourth, "ann", value="ash", cost=2.0, seconds=3.0)
    yield Annotation(first, "ann", value="birch")
    yield Annotation(second, "ann", verb="unsure")
    yield Annotation(third, "ann", verb="skip")
    yield Annotation(first, "bob", value="cedar")
    yield Annotation(fourth, "ann", verb="correct", value="cedar", refers=store.answer_of(fourth, "ann"))
    yield Annotation(first, "bob", verb="retract", refers=store.answer_of(first, "bob"))
    yield Annotation(third, "ann", verb="reopen")
    yield Annotation(third, "ann", value="ash")


def _tell(store: Store) -> Iterator[int]:
    """Tells the script, and yields the number of each event."""
    for annotation in _script(store):
        yield store.tell(annotation)


@check
def check_every_prefix_replays(open_: Open) -> None:
    """The log up to any event gives the votes and labels as they were then; also after the file is opened again."""
    with _begun(open_) as store:
        then = {seq: (list(store.votes()), store.labelled(last).values) for seq in _tell(store)}
        with open_(store.path) as again:
            for one in (store, again):
                now = {seq: (list(one.votes(seq)), one.labelled(last, seq).values) for seq in then}
                wrong = [seq for seq in then if now[seq] != then[seq]]
                assert not wrong, f"replaying up to events {wrong} gives other votes or labels than there were"


@check
def check_votes_follow_the_questions(open_: Open) -> None:
    """Votes and labels come in the order of the questions, not in that of arrival: no fit depends on who is fast."""
    with _begun(open_) as store:
        for question in reversed(_questions(store)):
            store.tell(Annotation(question, "ann", value=f"label {question}"))
        votes = [vote.question for vote in store.votes()]
        assert votes == _questions(store), f"votes come in the order {votes}"
        items = store.labelled(last).items.tolist()
        assert items == [7, 1, 4, 2, 9], f"labels come in the order of items {items}"


@check
def check_evidence_cannot_be_changed(open_: Open) -> None:
    """UPDATE and DELETE are refused on every table of evidence, for every program that opens the file."""
    with _begun(open_) as store:
        store.plan(1, _batch(3, made=(Made([0.5], parent=1),)), basis=0)
        store.write_report(0, {"basis": 0})
        store.edit("add_class", {"name": "elm"})
        assert list(_tell(store)), "nothing was told"
        path = store.path
        with sqlite3.connect(path) as connection:
            for table in EVIDENCE:
                column = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]
                for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
                    assert raises(sqlite3.DatabaseError, connection.execute, change), f"{change} is allowed"
        connection.close()


@check
def check_states_add_up(open_: Open) -> None:
    """At every moment asked = answered + out + skipped + unsure, and the rest is unasked."""
    with _begun(open_) as store:
        expected = iter(STANDING)
        assert _counted(store) == next(expected), f"before any answer: {store.counts()}"
        for seq in _tell(store):
            counts = _counted(store)
            assert sum(counts) == 5, f"five items were asked and after event {seq} there are {store.counts()}"
            assert counts == (wanted := next(expected)), f"after event {seq}: {store.counts()} instead of {wanted}"


STANDING = (
    (0, 5, 0, 0), (1, 4, 0, 0), (2, 3, 0, 0), (2, 2, 0, 1), (2, 1, 1, 1),
    (2, 1, 1, 1), (2, 1, 1, 1), (2, 1, 1, 1), (2, 2, 0, 1), (3, 1, 0, 1),
)  # fmt: skip
"""Answered, out, skipped and unsure items before and after each event of the script."""


def _counted(store: Store) -> tuple[int, ...]:
    counts = store.counts()
    return tuple(counts[state] for state in ("answered", "out", "skipped", "unsure"))


@check
def check_nothing_is_asked_twice(open_: Open) -> None:
    """What was asked is no longer `unasked`, whatever became of it; a second round with it is refused."""
    with _begun(open_) as store:
        for _ in _tell(store):
            assert store.unasked.tolist() == [0, 3, 5, 6, 8, 10, 11], f"unasked are {store.unasked.tolist()}"
        assert raises(Conflict, _plan, store, 1, _batch(3, 7)), "item 7 was asked in rounds 0 and 1"
        assert store.unasked.tolist() == [0, 3, 5, 6, 8, 10, 11], "a plan that was refused left something behind"


def _plan(store: Store, round: int, batch: Batch, basis: int | None = None) -> None:
    store.plan(round, batch, basis=store.last if basis is None else basis)


@check
def check_questions_go_to_one_at_a_time(open_: Open) -> None:
    """A question is held by one annotator until he answers, gives it back or his time is over; his own come first."""
    with _begun(open_) as store:
        mine = [row.question for row in store.take(2, "ann")]
        others = [row.question for row in store.take(5, "bob")]
        assert sorted(mine + others) == _questions(store), f"ann holds {mine}, bob {others} of {_questions(store)}"
        assert [row.question for row in store.take(2, "ann")] == mine, "taking again gives other questions"
        store.give_back(mine[0], "ann")
        assert mine[0] in [row.question for row in store.take(5, "bob")], "what ann gave back does not come to bob"
        store.tell(Annotation(mine[1], "ann", verb="skip"))
        assert [row.question for row in store.take(5, "ann")] == [], "ann is asked what she has skipped"
        store.take(5, "bob", seconds=-1.0)
        late = [row.question for row in store.take(5, "ann")]
        assert late == [question for question in _questions(store) if question != mine[1]], (
            f"bob's time is over and ann gets {late}"
        )


@check
def check_retries_are_safe(open_: Open) -> None:
    """The same token gives the same number and one vote; the same round again changes nothing, another is refused."""
    with _begun(open_) as store:
        question, other = _questions(store)[:2]
        said = Annotation(question, "ann", value="ash", token="t-1")
        number = store.tell(said)
        store.tell(Annotation(other, "ann", value="ash"))
        assert store.tell(said) == number, "the same token got another number"
        assert len(list(store.votes())) == 2, "the same answer counts twice"
        _plan(store, 0, _batch(7, 1, 4, 2, 9), basis=0)
        assert len(_questions(store)) == 5, "planning round 0 again asks it again"
        assert raises(Conflict, _plan, store, 0, _batch(3), 0), "round 0 was planned with other content"


@check
def check_old_models_cannot_plan(open_: Open) -> None:
    """A round that was chosen by a model older than the latest fit is refused."""
    with _begun(open_) as store:
        numbers = [store.tell(Annotation(question, "ann", value="ash")) for question in _questions(store)]
        store.write_report(0, {"basis": numbers[-1]})
        assert raises(StaleBasis, _plan, store, 1, _batch(3), numbers[0]), "a stale basis was accepted"
        _plan(store, 1, _batch(3), numbers[-1])


@check
def check_unasked_labels_are_refused(open_: Open) -> None:
    """A label for an item or a question that was never asked is refused, and nothing of it is kept."""
    with _begun(open_) as store:
        asked = Annotation(_questions(store)[0], "ann", value="ash")
        for stray in (Annotation(None, "ann", item=3, value="ash"), Annotation(999, "ann", value="ash")):
            assert raises(NeverAsked, store.tell, stray), f"{stray} was accepted"
            assert raises(NeverAsked, store.tell_many, [asked, stray]), f"{stray} was accepted among others"
        assert list(store.votes()) == [], "what was refused left votes behind"


@check
def check_told_is_on_the_disk(open_: Open) -> None:
    """What `tell` has acknowledged is there for whoever opens the file next, at once and whole."""
    with _begun(open_) as store:
        for annotation in _script(store):
            number = store.tell(annotation)
            with open_(store.path) as other:
                event = other.history()[-1]
            assert event.seq == number, f"event {number} was acknowledged and is not in the file"
            kept = (event.question, event.annotator, event.verb, event.cost, event.seconds)
            wanted = (annotation.question, annotation.annotator, annotation.verb, annotation.cost, annotation.seconds)
            assert kept == wanted, f"event {number} is kept as {kept} instead of {wanted}"


def _answer_all(open_: Open, path: Path, annotator: str) -> int:
    with open_(path) as store:
        told = 0
        while rows := store.take(1, annotator):
            store.tell(Annotation(rows[0].question, annotator, value="ash"))
            told += 1
    return told


@check
def check_another_process_loses_nothing(open_: Open) -> None:
    """Two processes answer the same questions at once: every answer is kept, and seen by whoever has the file open."""
    with _begun(open_, answers=2) as store:
        assert list(store.votes()) == [], "there are votes before any answer"
        there = elsewhere().submit(_answer_all, open_, store.path, "bob")
        here = _answer_all(open_, store.path, "ann")
        assert (here, there.result()) == (5, 5), f"ann told {here} and bob {there.result()} of 5 answers each"
        votes = {(vote.question, vote.annotator) for vote in store.votes()}
        assert len(votes) == 10, f"10 answers were told and {len(votes)} stand"


def _take_and_go(open_: Open, path: Path, annotator: str) -> list[int]:
    """Takes questions and never closes the store, like a process that is killed."""
    LEFT_OPEN.append(open_(path))
    return [row.question for row in LEFT_OPEN[-1].take(3, annotator)]


LEFT_OPEN: list[Store] = []


@check
def check_taken_questions_outlive_their_process(open_: Open) -> None:
    """Whoever took questions and was killed gets the same ones again, and can answer them."""
    with _begun(open_) as store:
        taken = elsewhere().submit(_take_and_go, open_, store.path, "ann").result()
        again = [row.question for row in store.take(3, "ann")]
        assert again == taken, f"ann held {taken} when she was killed, and now gets {again}"
        store.tell_many([Annotation(question, "ann", value="ash") for question in again])
        assert len(list(store.votes())) == 3, "answers after a kill are lost"


@check
def check_export_and_import_are_inverse(open_: Open) -> None:
    """Exporting and importing gives a store that exports the same file and has the same votes."""
    with _begun(open_) as store:
        assert list(_tell(store)), "nothing was told"
        _edit_all(store)
        for format in ("jsonl", "csv"):
            first = export(store, store.path.with_suffix(f".{format}"))
            with open_(store.path.with_name(f"{format}.db")) as copy:
                restore(copy, first)
                second = export(copy, store.path.with_name(f"again.{format}"))
                assert first.read_bytes() == second.read_bytes(), f"{format} changes on the way out, in and out"
                assert list(copy.votes()) == list(store.votes()), f"votes change on the way through {format}"
                assert copy.edits() == store.edits(), f"edits change on the way through {format}"


def _edit_all(store: Store) -> None:
    """Edits of every kind: a class gets another name, two items come, one of them labelled, two go."""
    store.edit("rename_class", {"old": "ash", "new": "oak"})
    store.extend(2, "two items", "a hash", {1: "cedar"})
    store.remove([4, 7])


@check
def check_edits_change_no_answer(open_: Open) -> None:
    """Edits add to the record and leave what was said as it was; each knows which answers are older."""
    with _begun(open_) as store:
        told = list(_tell(store))
        votes, said = list(store.votes()), store.history()
        _edit_all(store)
        assert store.history()[: len(said)] == said, "an edit changed what was said before it"
        left = [vote for vote in store.votes() if vote.item < 12]
        assert left == votes, f"an edit changed the standing answers to {left}"
        kinds = [edit.kind for edit in store.edits()]
        assert kinds == ["rename_class", "add", "remove"], f"the edits are {kinds}"
        assert store.edits()[0].seen == told[-1], f"the first edit knows events up to {store.edits()[0].seen}"


@check
def check_removed_items_are_left_alone(open_: Open) -> None:
    """A removed item is neither unasked nor out any more, not even for who held it, and it is never planned again."""
    with _begun(open_) as store:
        store.take(5, "ann")
        assert store.remove([4, 3]).tolist() == [3, 4], "the items that were removed are not those that are gone"
        assert store.remove([4]).tolist() == [], "an item was removed twice"
        assert 3 not in store.unasked.tolist(), "a removed item may still be asked"
        taken = [row.item for row in store.take(5, "ann")]
        assert sorted(taken) == [1, 2, 7, 9], f"items {taken} are taken after item 4 was removed"
        assert raises(Conflict, _plan, store, 1, _batch(3)), "a removed item was planned"


@check
def check_edits_are_made_one_after_the_other(open_: Open) -> None:
    """What was decided without knowing of the latest edit is refused, and nothing of it is kept."""
    with _begun(open_) as store:
        store.edit("add_class", {"name": "elm"}, known=0)
        assert raises(StaleBasis, _rename, store, 0), "an edit that knows nothing of the last one was accepted"
        assert store.edited == 1, "an edit that was refused left something behind"
        _rename(store, 1)


def _rename(store: Store, known: int) -> None:
    store.edit("rename_class", {"old": "elm", "new": "oak"}, known=known)


CHECKS: tuple[Check, ...] = (
    check_every_prefix_replays,
    check_votes_follow_the_questions,
    check_evidence_cannot_be_changed,
    check_states_add_up,
    check_nothing_is_asked_twice,
    check_questions_go_to_one_at_a_time,
    check_retries_are_safe,
    check_old_models_cannot_plan,
    check_unasked_labels_are_refused,
    check_told_is_on_the_disk,
    check_another_process_loses_nothing,
    check_taken_questions_outlive_their_process,
    check_export_and_import_are_inverse,
    check_edits_change_no_answer,
    check_removed_items_are_left_alone,
    check_edits_are_made_one_after_the_other,
)
