"""Who gets which question, and when it is free again."""

from __future__ import annotations

from pathlib import Path

from store_scenes import asked, batch, say, state

from askwell.store import Store


def taken(store: Store, n: int, who: str, seconds: float = 600.0) -> list[int]:
    return [row.question for row in store.take(n, who, seconds)]


def test_questions_come_in_the_order_of_planning(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2, 5], scores=[3.0, 2.0, 1.0]) as store:
        rows = store.take(2, "ann")
        assert [(row.question, row.item, row.score, row.round) for row in rows] == [(1, 7, 3.0, 0), (2, 2, 2.0, 0)]


def test_taking_again_gives_the_same_questions_and_then_more(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2, 5]) as store:
        assert taken(store, 2, "ann") == taken(store, 2, "ann") == [1, 2]
        assert taken(store, 1, "ann") == [1]
        assert taken(store, 9, "ann") == [1, 2, 3]


def test_a_question_that_is_held_goes_to_nobody_else(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2, 5]) as store:
        assert taken(store, 2, "ann") == [1, 2]
        assert taken(store, 2, "bob") == [3]


def test_give_back_frees_a_question_for_the_next_annotator(tmp_path: Path) -> None:
    with asked(tmp_path, [7]) as store:
        assert taken(store, 1, "ann") == [1]
        store.give_back(1, "bob")
        assert taken(store, 1, "bob") == []
        store.give_back(1, "ann")
        assert taken(store, 1, "bob") == [1]
        assert state(store, 7) == "out"


def test_an_expired_lease_frees_the_question_and_a_late_answer_counts(tmp_path: Path) -> None:
    with asked(tmp_path, [7]) as store:
        assert taken(store, 1, "ann", seconds=0.0) == [1]
        assert taken(store, 1, "bob") == [1]
        assert state(store, 7) == "out"
        say(store, 1, "bob", value="dog")
        say(store, 1, "ann")
        assert [(vote.annotator, vote.value) for vote in store.votes()] == [("bob", "dog"), ("ann", "cat")]
        assert state(store, 7) == "answered"


def test_an_answered_question_is_taken_from_who_still_holds_it(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 8]) as store:
        assert taken(store, 1, "ann") == [1]
        say(store, 1, "bob")
        assert taken(store, 1, "ann") == [2]


def test_two_answers_are_wanted_from_different_annotators(tmp_path: Path) -> None:
    with asked(tmp_path, [7], who=("ann", "bob", "cas"), answers=2) as store:
        assert (taken(store, 1, "ann"), taken(store, 1, "bob"), taken(store, 1, "cas")) == ([1], [1], [])
        say(store, 1, "ann")
        assert state(store, 7) == "out"
        assert taken(store, 1, "ann") == []
        say(store, 1, "bob", "skip")
        assert taken(store, 1, "cas") == [1]
        say(store, 1, "cas", value="dog")
        assert state(store, 7) == "answered"
        assert len(list(store.votes())) == 2


def test_overlap_ends_when_nobody_is_left(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 8], who=("ann", "bob"), answers=2) as store:
        say(store, 1, "bob", "skip")
        say(store, 1, "ann")
        say(store, 2, "ann", "unsure")
        say(store, 2, "bob", "skip")
        assert (state(store, 7), state(store, 8)) == ("answered", "unsure")


def test_pending_names_what_is_still_wanted_and_of_whom(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 8], who=("ann", "bob"), answers=2) as store:
        store.plan(1, batch([3], annotators=[1]), basis=0)
        say(store, 1, "ann")
        say(store, 2, "ann")
        say(store, 2, "bob")
        assert [row.question for row in store.pending()] == [1, 3]
        assert [row.question for row in store.pending("ann")] == []
        assert [row.question for row in store.pending("bob")] == [1, 3]


def test_a_skip_does_not_block_the_queue(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 8, 9], who=("ann", "bob")) as store:
        say(store, 1, "ann", "skip")
        assert taken(store, 2, "ann") == [2, 3]


def test_leases_survive_reopening_and_end_with_rebuild(tmp_path: Path) -> None:
    with asked(tmp_path, [7]) as store:
        taken(store, 1, "ann")
    from askwell.store import open_store

    with open_store(tmp_path / "labels.db") as store:
        assert taken(store, 1, "bob") == []
        store.rebuild()
        assert taken(store, 1, "bob") == [1]
