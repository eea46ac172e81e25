"""What each verb does to a question, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from store_scenes import asked, say, state, told

from askwell.errors import BadLabel, Conflict, InputError, NeverAsked, ProjectError
from askwell.store import Store


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def test_an_item_goes_from_unasked_to_out_to_answered(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        assert (state(store, 3), state(store, 4)) == ("unasked", "out")
        say(store, 1)
        assert state(store, 4) == "answered"


def test_the_same_answer_twice_is_recorded_once(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        assert say(store, 1, value={"box": [1, 2]}) == say(store, 1, value={"box": (1, 2)}) == 1
        assert store.last == 1


def test_another_answer_by_the_same_annotator_is_a_conflict(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        message = """'ann' has answered question 1 with "cat", and now says "dog": use 'correct' to change an answer"""
        with pytest.raises(Conflict, match=exactly(message)):
            say(store, 1, value="dog")
        with pytest.raises(Conflict, match="and now says unsure"):
            say(store, 1, verb="unsure")
        assert [vote.value for vote in store.votes()] == ["cat"]


def test_another_annotators_answer_is_a_second_opinion(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        say(store, 1, "bob", value="dog")
        assert [(vote.annotator, vote.value) for vote in store.votes()] == [("ann", "cat"), ("bob", "dog")]


def test_correct_replaces_the_answer_and_keeps_both_in_the_log(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, cost=2.0, seconds=3.0)
        again = say(store, 1, verb="correct", value="dog", refers=store.answer_of(1, "ann"), cost=0.5)
        (vote,) = store.votes()
        assert (vote.value, vote.seq, vote.cost, vote.seconds) == ("dog", again, 2.5, 3.0)
        assert [row[-1] for row in told(store)] == ["cat", "dog"]
        assert say(store, 1, verb="correct", value="dog", refers=again) == again
        assert say(store, 1, verb="correct", value="elk", refers=1) == again + 1


def test_correct_gives_a_label_to_who_was_unsure(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, verb="unsure")
        assert state(store, 4) == "unsure"
        assert list(store.votes()) == []
        say(store, 1, verb="correct", refers=1)
        assert state(store, 4) == "answered"


@pytest.mark.parametrize("verb", ["correct", "retract"])
def test_only_ones_own_standing_answer_is_changed(tmp_path: Path, verb: str) -> None:
    with asked(tmp_path, [4, 5]) as store:
        say(store, 1)
        say(store, 2, "bob")
        message = f"'{verb}' of question 1 must refer to a standing answer by 'ann', got event 2"
        with pytest.raises(ProjectError, match=exactly(message)):
            say(store, 1, verb=verb, refers=2)
        with pytest.raises(ProjectError, match="must refer to a standing answer by 'bob', got event 1"):
            say(store, 1, "bob", verb, refers=1)
        assert store.last == 2


def test_retract_opens_the_question_again_for_the_same_annotator(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        taken_back = say(store, 1, verb="retract", refers=1)
        assert state(store, 4) == "out"
        assert say(store, 1, verb="retract", refers=1) == taken_back
        assert [row.question for row in store.take(1, "ann")] == [1]
        say(store, 1, value="dog")
        assert [vote.value for vote in store.votes()] == ["dog"]
        assert store.history()[-1].refers == taken_back


def test_a_retracted_answer_cannot_be_corrected(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        say(store, 1, verb="retract", refers=1)
        message = "the answer to question 1 was retracted by event 2: label it again"
        with pytest.raises(Conflict, match=exactly(message)):
            say(store, 1, verb="correct", value="dog", refers=1)


def test_a_skip_by_the_only_annotator_skips_the_item_at_once(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        skipped = say(store, 1, verb="skip")
        assert state(store, 4) == "skipped"
        assert say(store, 1, verb="skip") == skipped
        assert 4 not in store.unasked


def test_an_item_is_skipped_when_all_who_are_known_have_skipped(tmp_path: Path) -> None:
    with asked(tmp_path, [4], who=("ann", "bob")) as store:
        say(store, 1, verb="skip")
        assert state(store, 4) == "out"
        assert [row.question for row in store.take(1, "ann")] == []
        assert [row.question for row in store.take(1, "bob")] == [1]
        say(store, 1, "bob", "skip")
        assert state(store, 4) == "skipped"


def test_a_skip_by_whom_the_question_was_asked_of_is_enough(tmp_path: Path) -> None:
    with asked(tmp_path, [4], who=("ann", "bob"), annotators=[1]) as store:
        assert store.take(1, "ann") == []
        assert store.take(1, "bob")[0].asked_of == "bob"
        say(store, 1, "bob", "skip")
        assert state(store, 4) == "skipped"


def test_a_skipped_item_does_not_come_back_because_somebody_new_is_known(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, verb="skip")
        store.register(["bob"])
        store.rebuild()
        assert state(store, 4) == "skipped"
        assert store.take(1, "bob") == []


def test_a_skipped_item_does_not_come_back_because_its_question_labels_another(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, verb="skip")
        assert state(store, 4) == "skipped"
        say(store, 1, "bob", "also", item=7)
        assert (state(store, 4), state(store, 7)) == ("skipped", "answered")
        assert store.states(store.last).tolist() == store.states().tolist()


@pytest.mark.parametrize("verb", ["skip", "unsure"])
def test_skipped_and_unsure_items_return_by_reopen_alone(tmp_path: Path, verb: str) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, verb=verb)
        assert store.take(1, "ann") == []
        say(store, 1, verb="reopen")
        assert state(store, 4) == "out"
        assert [row.question for row in store.take(1, "ann")] == [1]
        say(store, 1)
        assert state(store, 4) == "answered"


@pytest.mark.parametrize(("verb", "now"), [(None, "out"), ("label", "answered")])
def test_reopen_refuses_what_is_neither_skipped_nor_unsure(tmp_path: Path, verb: str | None, now: str) -> None:
    with asked(tmp_path, [4]) as store:
        if verb:
            say(store, 1, verb=verb)
        message = f"question 1 is {now}: only a skipped or unsure question is reopened"
        with pytest.raises(Conflict, match=exactly(message)):
            say(store, 1, verb="reopen")


def test_who_has_answered_cannot_skip(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        message = "'ann' has answered question 1: retract the answer before skipping"
        with pytest.raises(Conflict, match=exactly(message)):
            say(store, 1, verb="skip")


def test_who_has_skipped_may_still_answer(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, verb="skip")
        say(store, 1)
        assert state(store, 4) == "answered"


def test_close_ends_a_question(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5], answers=2) as store:
        say(store, 1)
        closed = say(store, 1, verb="close")
        assert say(store, 1, verb="close") == closed
        say(store, 2, verb="close")
        assert (state(store, 4), state(store, 5)) == ("answered", "skipped")
        assert store.pending() == []
        say(store, 1, "bob", value="dog")
        assert len(list(store.votes())) == 2


def test_also_labels_further_items_by_one_answer(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1)
        further = say(store, 1, verb="also", item=7, cost=0.0)
        assert say(store, 1, verb="also", item=7) == further
        assert state(store, 7) == "answered"
        assert 7 not in store.unasked
        votes = list(store.votes())
        assert [(vote.item, vote.question, vote.volunteered) for vote in votes] == [(4, 1, False), (7, 1, False)]
        back = [say(store, 1, verb="retract", refers=further, token="t") for _ in range(2)]
        assert back[0] == back[1]
        assert state(store, 7) == "unasked"
        assert state(store, 4) == "answered"


def test_also_needs_another_item(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        with pytest.raises(InputError, match=exactly("'also' for question 1 must name the further item")):
            say(store, 1, verb="also")
        message = "'also' labels further items, and item 4 is what question 1 asks about"
        with pytest.raises(InputError, match=exactly(message)):
            say(store, 1, verb="also", item=4)


def test_a_label_that_nobody_asked_for_is_refused_unless_volunteered(store: Store) -> None:
    message = "item 3 was labelled without being asked: pass volunteered=True to keep a label that nobody asked for"
    with pytest.raises(NeverAsked, match=exactly(message)):
        say(store, None, item=3)
    assert (store.last, store.annotators) == (0, [])
    say(store, None, item=3, volunteered=True)
    (vote,) = store.votes()
    assert (vote.question, vote.item, vote.volunteered, vote.annotator) == (None, 3, True, "ann")
    assert 3 not in store.unasked
    assert state(store, 3) == "answered"


def test_a_volunteered_label_follows_the_rules_of_answers(store: Store) -> None:
    first = say(store, None, item=3, volunteered=True)
    assert say(store, None, item=3, volunteered=True) == first
    with pytest.raises(Conflict, match="'ann' has answered item 3"):
        say(store, None, item=3, value="dog", volunteered=True)
    say(store, None, item=3, verb="correct", value="dog", refers=first)
    assert [vote.value for vote in store.votes()] == ["dog"]
    say(store, None, item=3, verb="retract", refers=first)
    assert 3 in store.unasked
    with pytest.raises(InputError, match=exactly("'skip' is about a question, and item 3 was given without one")):
        say(store, None, item=3, verb="skip")


def test_an_unknown_question_is_refused(store: Store) -> None:
    with pytest.raises(NeverAsked, match=exactly("question 9 was never asked")):
        say(store, 9)
    with pytest.raises(NeverAsked, match=exactly("question 9 was never asked")):
        store.answer_of(9, "ann")


def test_answer_of_names_what_is_missing(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        message = "'ann' has no answer to question 1 that could be changed"
        with pytest.raises(ProjectError, match=exactly(message)):
            store.answer_of(1, "ann")


def test_a_question_and_a_wrong_item_do_not_go_together(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store, pytest.raises(InputError, match="question 1 is about item 4, not about item 5"):
        say(store, 1, item=5)


def test_items_outside_the_pool_and_reserved_ones_are_refused(store: Store) -> None:
    store.reserve("test", [2])
    with pytest.raises(InputError, match=exactly("there is no item 10: the pool has items 0 to 9")):
        say(store, None, item=10, volunteered=True)
    message = "item 2 is reserved (validation, test, aside or a copy): it is never asked or labelled"
    with pytest.raises(Conflict, match=exactly(message)):
        say(store, None, item=2, volunteered=True)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, [float("inf")], object()])
def test_a_label_must_be_finite_json(tmp_path: Path, value: object) -> None:
    with asked(tmp_path, [4]) as store, pytest.raises(BadLabel, match=r"^a label must be finite JSON, got "):
        say(store, 1, value=value)


def test_a_label_needs_a_value_and_an_annotator_a_name(tmp_path: Path) -> None:
    from askwell.core.oracle import Annotation

    with asked(tmp_path, [4]) as store:
        message = "a 'label' for question 1 needs a value: use 'unsure' or 'skip' to give none"
        with pytest.raises(BadLabel, match=exactly(message)):
            store.tell(Annotation(1, "ann"))
        with pytest.raises(InputError, match=exactly("an annotator needs a name, got ''")):
            say(store, 1, "")


def test_a_token_is_recorded_once(tmp_path: Path) -> None:
    with asked(tmp_path, [4, 5]) as store:
        assert say(store, 1, token="t") == say(store, 1, token="t") == 1
        message = "token 't' was used for event 1, which says something else: use a new one"
        with pytest.raises(Conflict, match=exactly(message)):
            say(store, 2, token="t")


def test_a_token_survives_a_correction_in_between(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        say(store, 1, token="t")
        say(store, 1, verb="correct", value="dog", refers=1)
        assert say(store, 1, token="t") == 1
        assert [vote.value for vote in store.votes()] == ["dog"]


def test_tell_many_is_all_or_nothing(tmp_path: Path) -> None:
    from askwell.core.oracle import Annotation

    with asked(tmp_path, [4, 5]) as store:
        with pytest.raises(NeverAsked):
            store.tell_many([Annotation(1, "ann", value="cat"), Annotation(9, "ann", value="cat")])
        assert store.history() == []
        assert store.tell_many([Annotation(1, "ann", value="cat"), Annotation(2, "bob", value=1)]) == [1, 2]
        assert store.tell_many([]) == []


def test_cost_and_seconds_add_up_everything_that_was_said(tmp_path: Path) -> None:
    with asked(tmp_path, [4]) as store:
        assert (store.cost, store.seconds) == (0.0, 0.0)
        say(store, 1, cost=2.0, seconds=1.5)
        say(store, 1, verb="retract", refers=1, cost=0.5)
        assert (store.cost, store.seconds) == (2.5, 1.5)
