"""One round is one transaction, planned once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from store_scenes import asked, batch, made, say, state

from askwell.errors import Conflict, InputError, StaleBasis
from askwell.store import Store, open_store


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def test_a_round_keeps_who_chose_and_why(store: Store) -> None:
    store.plan(0, batch([5, 3], scores=[0.75, 0.5]), basis=0, weights="abc", facts={"strategy": "Margin()"}, form="box")
    (row,) = store.rounds()
    assert (row.round, row.basis, row.weights, row.facts, row.questions) == (0, 0, "abc", {"strategy": "Margin()"}, 2)
    kept = [(one.item, one.rank, one.score, one.form, one.answers) for one in store.questions(0)]
    assert kept == [(5, 0, 0.75, "box", 1), (3, 1, 0.5, "box", 1)]
    assert store.questions(1) == []


def test_the_same_plan_twice_is_one(store: Store) -> None:
    for _ in range(2):
        store.plan(0, batch([5, 3], state={"w": np.ones(2)}, made=[made("x")]), basis=0)
    assert (len(store), len(store.questions()), len(store.rounds())) == (11, 3, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"ids": [3, 5]},
        {"ids": [5, 3], "scores": [1.0, 2.0]},
        {"ids": [5, 3], "state": {"n": 1}},
        {"ids": [5, 3], "made": [made("x")]},
        {"ids": [5, 3], "units": ("a", "b")},
    ],
)
def test_another_plan_for_the_same_round_is_a_conflict(store: Store, other: dict[str, object]) -> None:
    store.plan(0, batch([5, 3]), basis=0)
    message = "round 0 is already planned with other content: plan the next round instead"
    with pytest.raises(Conflict, match=exactly(message)):
        store.plan(0, batch(**other), basis=0)  # type: ignore[arg-type]
    assert (len(store), len(store.questions())) == (10, 2)


def test_rounds_follow_each_other(store: Store) -> None:
    with pytest.raises(Conflict, match=exactly("round 2 cannot be planned: the next round is 0")):
        store.plan(2, batch([1]), basis=0)


def test_a_basis_older_than_the_latest_fits_is_stale(tmp_path: Path) -> None:
    with asked(tmp_path, [1, 2]) as store:
        say(store, 1)
        say(store, 2)
        store.write_report(0, {"basis": 2, "auroc": float("nan")})
        message = "round 1 was chosen by a model that knows events up to 1, and the latest model knows 2: choose again"
        with pytest.raises(StaleBasis, match=exactly(message)):
            store.plan(1, batch([3]), basis=1)
        with pytest.raises(InputError, match=exactly("basis 3 is no event: the log has events up to 2")):
            store.plan(1, batch([3]), basis=3)
        store.plan(1, batch([3]), basis=2)
        with pytest.raises(StaleBasis):
            store.plan(2, batch([4]), basis=0)


def test_items_that_were_asked_are_refused(tmp_path: Path) -> None:
    with asked(tmp_path, [1]) as store:
        message = "item 1 was already asked in round 0: choose from the unasked items"
        with pytest.raises(Conflict, match=exactly(message)):
            store.plan(1, batch([2, 1], made=[made("x")]), basis=0)
        assert (len(store), len(store.rounds()), len(store.questions())) == (10, 1, 1)
        store.plan(1, batch([1]), basis=0, again=True)
        assert [one.item for one in store.questions()] == [1, 1]


def test_the_same_item_may_be_asked_for_another_unit_or_of_another_annotator(tmp_path: Path) -> None:
    with asked(tmp_path, [1], who=("ann", "bob"), units=("left",)) as store:
        store.plan(1, batch([1], units=("right",)), basis=0)
        store.plan(2, batch([1], units=("left",), annotators=[1]), basis=0)
        with pytest.raises(Conflict, match=r"^item 1, unit 'left', was already asked in round 2"):
            store.plan(3, batch([1], units=("left",), annotators=[1]), basis=0)
        assert [(one.unit, one.asked_of) for one in store.questions()] == [
            ("left", None), ("right", None), ("left", "bob")
        ]  # fmt: skip


def test_an_item_with_units_is_answered_when_none_is_out(tmp_path: Path) -> None:
    with asked(tmp_path, [1, 1], units=("left", "right")) as store:
        say(store, 1)
        assert state(store, 1) == "out"
        say(store, 2, verb="skip")
        assert state(store, 1) == "answered"
        found = store.labelled(lambda votes: votes[0].value)
        assert (found.items.tolist(), found.questions.tolist()) == ([1], [1])


def test_items_with_a_volunteered_label_are_refused(store: Store) -> None:
    say(store, None, item=3, volunteered=True)
    with pytest.raises(Conflict, match=exactly("item 3 has a volunteered label: choose from the unasked items")):
        store.plan(0, batch([3]), basis=0)


def test_reserved_items_are_never_asked(store: Store) -> None:
    store.reserve("test", [1, 2])
    store.reserve("validation", [])
    store.reserve("test", np.array([2, 1]))
    store.reserve("validation", [])
    assert store.reserved("test").tolist() == [1, 2]
    assert store.reserved("aside").tolist() == []
    assert store.unasked.tolist() == store.askable.tolist() == [0, 3, 4, 5, 6, 7, 8, 9]
    assert {state: n for state, n in store.counts().items() if n} == {"unasked": 8, "reserved": 2}
    with pytest.raises(Conflict, match=r"^item 2 is reserved "):
        store.plan(0, batch([2]), basis=0, again=True)
    with pytest.raises(Conflict, match=exactly("'test' is reserved already, with other items")):
        store.reserve("test", [1])
    with pytest.raises(Conflict, match=exactly("cannot reserve item 1 for 'aside': it is reserved")):
        store.reserve("aside", [1])
    with pytest.raises(InputError, match=exactly("there is no item 10: the pool has items 0 to 9")):
        store.reserve("aside", [10])


def test_made_items_join_the_pool_in_the_same_transaction(store: Store) -> None:
    picture = np.arange(6, dtype=np.float32).reshape(2, 3)
    parts = [made(picture, how="mixed"), made("a text", parent=5, role="copy", how="attack")]
    store.plan(0, batch([5], made=parts), basis=0)
    assert (len(store), store.unasked.tolist()) == (12, [0, 1, 2, 3, 4, 6, 7, 8, 9])
    assert [(one.item, one.rank) for one in store.questions()] == [(5, 0), (10, 1)]
    first, second = store.made()
    assert np.array_equal(first.pop("payload"), picture)
    assert first == {"item": 10, "parent": None, "round": 0, "role": "ask", "how": "mixed"}
    assert second == {"item": 11, "parent": 5, "round": 0, "role": "copy", "how": "attack", "payload": "a text"}
    assert (state(store, 10), state(store, 11)) == ("out", "reserved")


def test_a_batch_of_tensors_is_understood(store: Store) -> None:
    import torch

    from askwell.core.view import Batch, Made

    state = {"arm": torch.tensor([0.25, 0.5]), "pulls": [1, 2]}
    ids, scores = torch.tensor([4, 1]), torch.tensor([0.5, 0.25])
    store.plan(0, Batch(ids, scores, made=(Made(torch.ones(2)),), state=state), basis=0)
    assert [(one.item, one.score) for one in store.questions()] == [(4, 0.5), (1, 0.25), (10, None)]
    assert store.state["arm"].tolist() == [0.25, 0.5]
    assert store.state["pulls"] == [1, 2]


def test_state_is_the_latest_that_was_given(store: Store) -> None:
    assert store.state == {}
    store.plan(0, batch([1], state={"n": 1}), basis=0)
    store.plan(1, batch([2]), basis=0)
    assert store.state == {"n": 1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ids": [1, 1]}, "round 0 asks about the same place twice"),
        ({"ids": [99]}, "there is no item 99: the pool has items 0 to 9"),
        ({"ids": [-1]}, "there is no item -1: the pool has items 0 to 9"),
        ({"ids": [1], "scores": [1.0, 2.0]}, "a batch of 1 ids has 2 scores"),
        ({"ids": [1], "annotators": [0]}, "there is no annotator 0: 0 are known, register them first"),
        ({"ids": [1], "made": [made("x", role="copy")]},
         "a made item is to 'ask', or a 'copy' with a parent; got role 'copy', parent None"),
        ({"ids": [1], "state": {"f": object()}}, "only JSON, arrays and tensors can be stored, got object"),
        ({"ids": [1], "state": {1: 2}}, "a packed mapping needs text keys other than '__npy__', got [1]"),
    ],
)  # fmt: skip
def test_a_wrong_batch_records_nothing(store: Store, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        store.plan(0, batch(**wrong), basis=0)  # type: ignore[arg-type]
    assert (store.rounds(), len(store)) == ([], 10)


def test_no_answers_wanted_is_refused(store: Store) -> None:
    message = "at least one answer per question must be wanted, got 0"
    with pytest.raises(InputError, match=exactly(message)):
        store.plan(0, batch([1]), basis=0, answers=0)


def test_two_programs_see_each_others_rounds(tmp_path: Path) -> None:
    with asked(tmp_path, [1]) as one, open_store(tmp_path / "labels.db") as two:
        assert two.unasked.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9]
        one.plan(1, batch([2], made=[made("x")]), basis=0)
        say(one, 1)
        assert state(two, 1) == "answered"
        assert (state(two, 2), len(two.states())) == ("out", 11)
        with pytest.raises(Conflict, match="already planned with other content"):
            two.plan(1, batch([3]), basis=0)


def test_growing_by_nothing_is_refused(store: Store) -> None:
    assert store.grow(5, "data", "more") == range(10, 15)
    with pytest.raises(InputError, match=exactly("a pool grows by at least one item, got 0")):
        store.grow(0, "data", "none")


def test_reports_and_remarks_are_kept(store: Store) -> None:
    store.write_report(0, {"accuracy": 0.5, "curve": (1, 2)})
    store.write_report(0, {"accuracy": 0.75})
    assert store.reports() == [{"accuracy": 0.5, "curve": [1, 2]}, {"accuracy": 0.75}]
    assert store.meta("seed") is None
    store.set_meta("seed", 3)
    store.set_meta("seed", 4)
    assert store.meta("seed") == 4
