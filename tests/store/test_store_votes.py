"""Votes and labels as of an event, and how several answers become one."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from store_scenes import asked, batch, say

from askwell.core.recipe import Resolution
from askwell.core.store import Vote
from askwell.errors import BadLabel, InputError
from askwell.store import RESOLVERS, last, majority, mean
from askwell.store.resolve import JOINT


def vote(seq: int, value: object) -> Vote:
    return Vote(seq, 1, 0, "", f"annotator {seq}", value, 1.0, 0.0)


def test_last_is_the_newest_event_wherever_it_stands() -> None:
    assert last([vote(5, "cat"), vote(2, "dog")]) == "cat"


def test_majority_counts_and_ties_go_to_the_first_vote() -> None:
    assert majority([vote(1, "dog"), vote(2, "cat"), vote(3, "cat")]) == "cat"
    assert majority([vote(4, "dog"), vote(2, "cat"), vote(3, "dog"), vote(5, "cat")]) == "cat"


def test_labels_are_equal_when_their_json_is() -> None:
    box, same = {"x": 1, "y": [2]}, {"y": [2], "x": 1}
    assert majority([vote(1, 3), vote(2, box), vote(3, same)]) == box


def test_resolvers_have_names() -> None:
    assert (RESOLVERS["last"], RESOLVERS["majority"], RESOLVERS["mean"]) == (last, majority, mean)
    assert {*RESOLVERS, *JOINT} == set(get_args(Resolution))


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ([["car", "sky"], ["sky"]], ["sky"]),
        ([["car", "sky"], ["sky", "tree"], ["car", "tree"]], ["car", "sky", "tree"]),
        ([["car"], ["sky"]], []),
        ([[], [], ["sky"]], []),
        ([["sky"], ["sky"], []], ["sky"]),
        ([["tree", "sky"]], ["tree", "sky"]),
    ],
)
def test_a_name_is_in_the_label_when_more_than_half_say_it(answers: list[list[str]], names: list[str]) -> None:
    assert majority([vote(seq, answer) for seq, answer in enumerate(answers)]) == names


def test_lists_that_are_no_names_are_answers_as_a_whole() -> None:
    assert majority([vote(1, [0.1, 0.2]), vote(2, [0.1, 0.3]), vote(3, [0.1, 0.3])]) == [0.1, 0.3]


def test_the_mean_of_numbers_loses_nothing_to_rounding() -> None:
    assert mean([vote(1, 2), vote(2, 3.0), vote(3, 7)]) == 4.0
    assert mean([vote(1, 1e16), vote(2, 1.0), vote(3, -1e16)]) == pytest.approx(1 / 3)
    for value in ("3", True, [1.0]):
        with pytest.raises(BadLabel) as caught:
            mean([vote(1, 2.0), vote(2, value)])
        assert str(caught.value) == f"answer {value!r} has no mean, for it is no number: resolve by 'majority'"


def test_labels_come_in_question_order_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2, 5]) as store:
        say(store, None, item=0, value="z", volunteered=True)
        for question, value in ((3, "c"), (1, "a"), (2, "b")):
            say(store, question, value=value)
        found = store.labelled(majority)
        assert found.items.tolist() == [7, 2, 5, 0]
        assert found.values == ["a", "b", "c", "z"]
        assert found.questions.tolist() == [1, 2, 3, -1]
        assert found.basis == store.last == 4


def test_labels_as_of_an_event_do_not_know_what_came_later(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2]) as store:
        say(store, 1)
        store.plan(1, batch([3]), basis=0)
        say(store, 1, verb="correct", value="dog", refers=1)
        say(store, 3)
        say(store, 1, verb="retract", refers=1)
        values = [store.labelled(last, upto).values for upto in range(5)]
        assert values == [[], ["cat"], ["dog"], ["dog", "cat"], ["cat"]]
        assert [len(list(store.votes(upto))) for upto in range(5)] == [0, 1, 1, 2, 1]
        with pytest.raises(InputError, match=r"^there is no event 5 yet: the log has 4$"):
            store.labelled(last, 5)


def test_a_resolver_may_leave_an_item_unlabelled(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2], answers=2) as store:
        say(store, 1)
        say(store, 1, "bob", value="dog")
        say(store, 2)
        found = store.labelled(lambda votes: votes[0].value if len(votes) == 1 else None)
        assert found.items.tolist() == [2]


def test_an_item_that_was_asked_twice_is_resolved_once(tmp_path: Path) -> None:
    with asked(tmp_path, [7, 2]) as store:
        store.plan(1, batch([7]), basis=0, again=True)
        for question, value in ((1, "a"), (2, "b"), (3, "c")):
            say(store, question, value=value)
        found = store.labelled(last)
        assert (found.items.tolist(), found.values) == ([7, 2], ["c", "b"])
