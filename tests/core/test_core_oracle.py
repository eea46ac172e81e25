import pytest

from askwell.core.oracle import Annotation, Question
from askwell.errors import InputError

VERBS = ("label", "unsure", "skip", "correct", "retract", "reopen", "also", "close")


@pytest.mark.parametrize("verb", VERBS)
def test_verbs(verb):
    assert Annotation(1, "ann", verb=verb).verb == verb


def test_an_unknown_verb():
    with pytest.raises(InputError) as caught:
        Annotation(1, "ann", verb="delete")
    assert str(caught.value) == f"unknown verb 'delete': use one of {', '.join(VERBS)}"
    assert caught.value.got == "delete"


@pytest.mark.parametrize(("cost", "seconds"), [(-1.0, 0.0), (0.0, -1.0), (float("nan"), 0.0), (0.0, float("nan"))])
def test_cost_and_seconds_are_not_negative(cost, seconds):
    with pytest.raises(InputError) as caught:
        Annotation(1, "ann", cost=cost, seconds=seconds)
    assert str(caught.value) == f"cost and seconds must not be negative, got {cost} and {seconds}"


def test_an_annotation_is_about_something():
    with pytest.raises(InputError, match=r"^an annotation names a question or an item$"):
        Annotation(None, "ann")
    assert Annotation(None, "ann", item=4).item == 4


def test_a_question_is_about_a_label_unless_told_otherwise():
    assert (Question(1, "a.png", None).form, Question(1, "a.png", None).unit) == ("label", "")
