"""The hidden truth as an annotator."""

from __future__ import annotations

import re

import numpy as np
import pytest

from askwell.core.oracle import Question
from askwell.core.registry import find
from askwell.errors import InputError, UnknownName
from askwell.oracles import Truth
from askwell.testing import oracle


def question(position: int) -> Question:
    return Question(100 + position, f"item {position}", None, position=position)


@pytest.mark.parametrize("check", oracle.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("annotators", [("truth",), ("one", "two")], ids=["one annotator", "two annotators"])
def test_it_keeps_the_contract_of_oracles(check: oracle.Check, annotators: tuple[str, ...]) -> None:
    check(lambda labels: Truth(labels, annotators=annotators))


def test_it_answers_by_position_not_by_question_number() -> None:
    truth = Truth(np.array([2, 0, 1]), cost=1.5)
    (said,) = truth.answer([question(2)])
    assert (said.question, said.annotator, said.value, said.cost) == (102, "truth", 1, 1.5)
    assert type(said.value) is int


@pytest.mark.parametrize("labels", [np.array([-1, 0]), [-1, 0], [None, "cat"], np.array([None, "cat"])])
def test_an_unknown_truth_is_skipped_for_nothing(labels: object) -> None:
    (said,) = Truth(labels).answer([question(0)])  # type: ignore[arg-type]
    assert (said.verb, said.value, said.cost) == ("skip", None, 0.0)


def test_any_json_is_a_label() -> None:
    truth = Truth([{"box": [0, 1]}, np.array([3, 4]), -1.0])
    assert [said.value for said in truth.answer([question(0), question(1), question(2)])] == [
        {"box": [0, 1]}, [3, 4], -1.0
    ]  # fmt: skip


def test_it_never_shows_its_labels() -> None:
    assert repr(Truth(["secret"])) == "Truth(annotators=('truth',), cost=1.0)"


@pytest.mark.parametrize("position", [-1, 3])
def test_a_position_outside_is_refused(position: int) -> None:
    message = f"there is no truth for position {position}: labels has positions 0 to 2"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        list(Truth(["a", "b", "c"]).answer([question(position)]))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match=r"^cost must not be negative, got -1.0$"):
        Truth(["a"], cost=-1.0)
    with pytest.raises(InputError, match=r"^an oracle needs at least one annotator$"):
        Truth(["a"], annotators=())
    with pytest.raises(UnknownName, match=r"^unknown annotator 'trut': did you mean 'truth'"):
        Truth(["a"]).answer([question(0)], "trut")


def test_it_is_found_by_name() -> None:
    assert find("oracles", "truth") is Truth
