"""Edits change what answers are read as and which items are left, never what was said."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from store_scenes import asked, batch, new, say, state, told

from askwell.core.oracle import Annotation
from askwell.errors import Conflict, InputError, StaleBasis
from askwell.store import Store, export, open_store, restore


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def edits(store: Store) -> list[tuple[int, str, object]]:
    return [(edit.seen, edit.kind, dict(edit.body)) for edit in store.edits()]


def test_an_edit_knows_the_answers_before_it(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        assert store.edit("rename_class", {"old": "cat", "new": "feline"}) == 1
        say(store, 1)
        assert store.edit("add_class", {"name": "newt"}) == 2
        say(store, 2)
    with open_store(tmp_path / "labels.db") as store:
        rename = (0, "rename_class", {"old": "cat", "new": "feline"})
        assert edits(store) == [rename, (1, "add_class", {"name": "newt"})]
        assert store.edited == 2
        assert [vote.value for vote in store.votes()] == ["cat", "cat"]


def test_what_was_decided_by_older_edits_is_refused_whole(store: Store) -> None:
    store.edit("add_class", {"name": "newt"}, known=0)
    message = exactly("the project has 1 edits, and this was decided when it had 0: decide again")
    with pytest.raises(StaleBasis, match=message):
        store.edit("add_class", {"name": "toad"}, known=0)
    with pytest.raises(StaleBasis, match=message):
        store.remove([1], known=0)
    with pytest.raises(StaleBasis, match=message):
        store.extend(2, "more", "hash", {0: "cat"}, known=0)
    with pytest.raises(StaleBasis, match=message):
        store.tell(Annotation(None, "ann", 1, value="cat"), volunteered=True, known=0)
    assert (store.edited, store.last, len(store)) == (1, 0, 10)


def test_removed_items_leave_everything_but_the_record(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5, 6], who=("ann", "bob"), answers=2) as store:
        say(store, 1)
        say(store, 2)
        store.take(3, "ann")
        assert store.remove([5, 4, 7]).tolist() == [4, 5, 7]
        assert [state(store, item) for item in (4, 5, 6, 7)] == ["removed", "removed", "out", "removed"]
        assert store.unasked.tolist() == [0, 1, 2, 3, 8, 9]
        assert store.askable.tolist() == [0, 1, 2, 3, 6, 8, 9]
        assert (store.counts()["removed"], store.counts()["answered"]) == (3, 0)
        assert [row.item for row in store.pending()] == [6]
        assert [row.item for who in ("ann", "bob") for row in store.take(9, who)] == [6, 6]
        assert [vote.item for vote in store.votes()] == [4, 5]
        assert told(store)[2:] == [("close", 1, 4, "project", None), ("close", 2, 5, "project", None)]
        store.rebuild()
        assert [row.item for row in store.pending()] == [6]
        assert state(store, 5) == "removed"


def test_removing_twice_is_fine_and_unknown_items_are_refused(store: Store) -> None:
    assert store.remove([3, 3]).tolist() == [3]
    assert store.remove([3, 4]).tolist() == [4]
    assert store.remove([4]).tolist() == store.remove([]).tolist() == []
    assert [kind for _, kind, _ in edits(store)] == ["remove", "remove"]
    for item in (-1, 10):
        with pytest.raises(InputError, match=exactly(f"there is no item {item}: the pool has items 0 to 9")):
            store.remove([2, item])
    assert store.counts()["removed"] == 2


def test_removed_items_are_neither_planned_nor_labelled_nor_opened_again(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        say(store, 1, verb="skip")
        say(store, 2)
        store.remove([4, 5, 6])
        message = exactly("item 6 was removed: it is never asked or labelled again")
        with pytest.raises(Conflict, match=message):
            store.plan(1, batch([6]), basis=0, again=True)
        with pytest.raises(Conflict, match=message):
            say(store, None, item=6, volunteered=True)
        with pytest.raises(Conflict, match=exactly("item 4 was removed: it is never asked or labelled again")):
            say(store, 1, verb="reopen")
        say(store, 2, verb="retract", refers=store.answer_of(2, "ann"))
        assert store.pending() == []


def test_a_late_answer_about_a_removed_item_is_kept(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        store.take(1, "ann")
        store.remove([4])
        say(store, 1)
        assert [vote.value for vote in store.votes()] == ["cat"]
        assert state(store, 4) == "removed"


def test_reserved_items_can_be_removed(store: Store) -> None:
    store.reserve("test", [8, 9])
    store.remove([9])
    assert (state(store, 8), state(store, 9)) == ("reserved", "removed")
    assert store.reserved().tolist() == [8, 9]


def test_states_as_of_an_event_know_the_edits_until_then(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        say(store, 1)
        say(store, 2)
        store.remove([4])
        assert store.states(1).tolist()[4:6] == [3, 4]
        assert store.states(store.last).tolist() == store.states().tolist()


def test_new_items_come_with_their_labels(store: Store) -> None:
    assert store.extend(3, "more", "hash", {2: "cat", 0: "dog"}) == range(10, 13)
    assert edits(store) == [(0, "add", {"start": 10, "n": 3})]
    assert store.segments()[1] == (10, 3, "data", "more", "hash")
    votes = [(vote.item, vote.value, vote.annotator, vote.cost, vote.volunteered) for vote in store.votes()]
    assert votes == [(10, "dog", "data", 0.0, True), (12, "cat", "data", 0.0, True)]
    assert (state(store, 11), state(store, 12)) == ("unasked", "answered")


def test_data_and_project_are_nobody_who_could_still_answer(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        store.extend(1, "more", "hash", {0: "cat"})
        store.remove([5])
        store.take(1, "ann")
        say(store, 1, verb="skip")
        assert state(store, 4) == "skipped"
        assert store.annotators == ["ann", "data", "project"]


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_edits_are_exported_and_restored(tmp_path: Path, format: str) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    with asked(tmp_path, [4, 5]) as store, new(tmp_path, name="copy.db") as copy:
        say(store, 1)
        store.edit("rename_class", {"old": "cat", "new": 'a "quoted" cat, ü'})
        store.extend(3, "more", "hash", {1: "dog"})
        store.remove([5, 12])
        path = export(store, tmp_path / f"out.{format}")
        restore(copy, path)
        assert copy.edits() == store.edits()
        assert copy.states().tolist() == store.states().tolist()
        assert export(copy, tmp_path / f"again.{format}").read_bytes() == path.read_bytes()
        with pytest.raises(Conflict, match=r"has a record already"):
            restore(copy, path)


def test_an_export_from_before_edits_is_restored(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store, new(tmp_path, name="copy.db") as copy:
        path = export(store, tmp_path / "out.jsonl")
        assert "edit" not in path.read_text()
        restore(copy, path)
        assert copy.edits() == []


CHANGES = {
    "remove": lambda store: store.remove([4, 5, 7]),
    "extend": lambda store: store.extend(3, "more", "hash", {0: "cat", 2: "dog"}),
    "edit": lambda store: store.edit("rename_class", {"old": "cat", "new": "feline"}),
}


def killed_at(path: Path, change: str, statement: int) -> bool:
    """Makes the change in a process that dies before its n-th statement; whether it came so far."""
    child = os.fork()
    if not child:
        seen = 0

        def count(text: str) -> None:
            nonlocal seen
            seen += 1
            if seen == statement:
                os._exit(9)

        try:
            with open_store(path) as store:
                with store.connections.read() as connection:
                    pass
                connection.set_trace_callback(count)
                CHANGES[change](store)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("change", CHANGES)
def test_a_kill_at_any_statement_leaves_all_or_nothing(tmp_path: Path, change: str) -> None:
    with asked(tmp_path, [4, 5]) as store:
        say(store, 1)
    path = store.path

    def record() -> tuple[object, ...]:
        with open_store(path) as found:
            states = found.states().tolist()
            found.rebuild()
            assert found.states().tolist() == states
            return len(found), edits(found), told(found), states

    before, points = record(), 0
    while killed_at(path, change, points + 1):
        points += 1
        assert record() == before
    assert points > 3
    after = record()
    assert (len(after[1]), after[2][:1]) == (1, before[2])  # type: ignore[index, arg-type]
