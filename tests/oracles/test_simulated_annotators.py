"""Annotators who err, who are not always there, and who are models."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from torch import Generator

from askwell.core.oracle import Annotation, Question, Simulated
from askwell.core.registry import find
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.errors import BadShape, InputError, NotFinite, UnknownName
from askwell.oracles import Crowd, Model, Noisy, Truth

CLASSES = ("ash", "birch", "cedar")
SWAP = ((0.7, 0.3, 0.0), (0.0, 1.0, 0.0), (0.5, 0.0, 0.5))


def questions(positions: range | list[int], first: int = 100) -> list[Question]:
    return [Question(first + at, f"item {at}", f"text {at}", position=at) for at in positions]


def own(question: int) -> Generator:
    return Seeds(1).torch(question)


def values(told: Iterator[Annotation]) -> list[object]:
    return [one.value for one in told]


@pytest.mark.parametrize("oracle", [Noisy(confusion=0.4), Crowd(confusion=(0.4, 0.4))])
def test_asked_again_in_another_question_it_makes_the_same_mistakes(oracle: Simulated) -> None:
    known = oracle.knowing(["ash"] * 200, CLASSES)
    who = known.annotators[0]
    first, again = (values(known.answer(questions(range(200), start), who, own)) for start in (0, 5000))
    assert first == again
    assert 40 < sum(value != "ash" for value in first) < 120


def test_annotators_make_mistakes_of_their_own() -> None:
    noisy = Noisy(["ash"] * 300, CLASSES, 0.5, ("ann", "bob"))
    ann, bob = (values(noisy.answer(questions(range(300)), who)) for who in ("ann", "bob"))
    both = sum(a != "ash" and b != "ash" for a, b in zip(ann, bob, strict=True))
    assert 45 < both < 105
    other = Noisy(["ash"] * 300, CLASSES, 0.5, ("ann", "bob"), seed=1)
    assert values(other.answer(questions(range(300)), "ann")) != ann


def test_mistakes_follow_the_confusion_of_the_true_class() -> None:
    labels = [CLASSES[at % 3] for at in range(6000)]
    told = values(Noisy(labels, CLASSES, SWAP).answer(questions(range(6000))))
    for true, row in zip(CLASSES, SWAP, strict=True):
        said = [value for value, label in zip(told, labels, strict=True) if label == true]
        assert [said.count(name) / len(said) for name in CLASSES] == pytest.approx(row, abs=0.04)


def test_a_share_is_spread_evenly_over_the_other_classes() -> None:
    told = values(Noisy(["birch"] * 6000, CLASSES, 0.3).answer(questions(range(6000))))
    assert [told.count(name) / 6000 for name in CLASSES] == pytest.approx([0.15, 0.7, 0.15], abs=0.02)


def test_indices_are_answered_by_indices_and_names_by_names() -> None:
    by_index = Noisy(np.array([0, 1, 2, -1]), CLASSES, 0.5).answer(questions(range(4)))
    by_name = Noisy(["ash", "birch", "cedar", None], CLASSES, 0.5).answer(questions(range(4)))
    indices, names = values(by_index), values(by_name)
    assert [CLASSES[one] if isinstance(one, int) else one for one in indices] == names
    assert names[3] is None


def test_the_expected_noise_is_that_of_the_labels() -> None:
    assert Noisy(["ash", "cedar", None], CLASSES, SWAP).noise == pytest.approx((0.3 + 0.5) / 2)
    assert Noisy((), CLASSES).noise == 0.0
    crowd = Crowd(["ash", "birch"], CLASSES, (0.2, SWAP))
    assert crowd.noise == pytest.approx({"annotator-1": 0.2, "annotator-2": 0.15})


def test_prices_are_each_annotators_own_and_who_is_not_there_costs_nothing() -> None:
    crowd = Crowd(["ash"] * 400, CLASSES, (0.0, 0.0), ("ann", "bob"), availability=(1.0, 0.25), cost=(3.0, 2.0))
    assert {one.cost for one in crowd.answer(questions(range(400)), "ann", own)} == {3.0}
    told = list(crowd.answer(questions(range(400)), "bob", own))
    there = [one for one in told if one.verb == "label"]
    assert 60 < len(there) < 140
    assert {one.cost for one in there} == {2.0}
    assert {(one.verb, one.cost) for one in told if one not in there} == {("skip", 0.0)}
    later = list(crowd.answer(questions(range(400), 5000), "bob", own))
    assert [one.verb for one in later] != [one.verb for one in told]


def test_who_is_not_always_there_needs_a_generator() -> None:
    crowd = Crowd(["ash"], CLASSES, (0.0,), availability=(0.5,))
    with pytest.raises(InputError, match=r"^'annotator-1' is not always there: give rng, a generator per question$"):
        crowd.answer(questions([0]))


def test_a_model_answers_with_its_most_probable_class() -> None:
    model = Model([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4], [0.34, 0.33, 0.33]], CLASSES, cost=0.1, sure=0.4)
    told = list(model.answer(questions([1, 0, 2])))
    assert [(one.verb, one.value, one.cost) for one in told] == [
        ("label", "birch", 0.1), ("label", "ash", 0.1), ("unsure", None, 0.1)
    ]  # fmt: skip


def test_a_model_may_be_a_function_of_items() -> None:
    seen: list[object] = []

    def predict(items: list[str]) -> np.ndarray:
        seen.extend(items)
        return np.eye(3)[[len(item) % 3 for item in items]]

    assert values(Model(predict, CLASSES).answer(questions([5, 10]))) == ["ash", "birch"]
    assert seen == ["text 5", "text 10"]
    assert list(Model(predict, CLASSES).answer([])) == []


@pytest.mark.parametrize(
    "oracle",
    [
        Truth(cost=2.0),
        Noisy(confusion=SWAP, annotators=("ann", "bob")),
        Crowd(confusion=(0.1, SWAP), availability=(1.0, 0.5)),
    ],
)
def test_without_labels_it_is_a_part_of_a_recipe(oracle: object) -> None:
    assert build("oracles", config(oracle)) == oracle
    assert hash(build("oracles", config(oracle))) == hash(oracle)
    assert isinstance(oracle, Simulated)


def test_it_is_read_from_text() -> None:
    assert parse("oracles", "noisy(confusion=0.2)") == Noisy(confusion=0.2)
    assert parse("oracles", "crowd(confusion=(0.1, 0.3), cost=(2.0, 1.0))") == Crowd(
        confusion=(0.1, 0.3), cost=(2.0, 1.0)
    )
    assert (find("oracles", "model"), find("oracles", "crowd")) == (Model, Crowd)


def test_its_labels_are_neither_shown_nor_compared() -> None:
    assert "secret" not in repr(Noisy(["secret"], CLASSES)) + repr(Crowd(["secret"], CLASSES))
    assert Noisy(["ash"], CLASSES) == Noisy(["birch"], CLASSES)
    assert "0.123" not in repr(Model([[0.123, 0.877, 0]], CLASSES))


ROWS = (
    "confusion must be a share of wrong answers from 0 to 1, or a table (C, C) of shares of answers per true class, "
    "rows that sum to 1; got "
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Noisy(confusion=1.5), ROWS + "1.5"),
        (lambda: Noisy(confusion=((0.5, 0.4), (0.0, 1.0))), ROWS + "((0.5, 0.4), (0.0, 1.0))"),
        (lambda: Crowd(confusion=((0.5, 0.5),)), ROWS + "(0.5, 0.5)"),
        (lambda: Crowd(confusion=(0.1, 0.2), cost=(1.0,)), "a crowd of 2 (one confusion each) has 1 cost"),
        (lambda: Crowd(confusion=(0.1,), availability=(2.0,)), "availability is a share from 0 to 1, got 2.0"),
        (lambda: Crowd(confusion=()), "an oracle needs at least one annotator"),
        (lambda: Crowd(confusion=(0.1, 0.2), annotators=("a", "a")), "annotators need names of their own, got a, a"),
        (lambda: Noisy(cost=-1.0), "cost must not be negative, got -1.0"),
        (lambda: Model([[1.0, 0.0]], ("a", "b"), sure=2), "sure is a probability from 0 to 1, got 2"),
        (
            lambda: Noisy().knowing([0.5], ()),
            "mistakes are made between classes, and there are 0: labels must be one class per item",
        ),
        (
            lambda: list(Noisy(["oak"], CLASSES).answer(questions([0]))),
            "label 'oak' is none of the classes ash, birch, cedar",
        ),
        (
            lambda: list(Noisy([[1, 0, 1]], CLASSES).answer(questions([0]))),
            "label [1, 0, 1] is none of the classes ash, birch, cedar",
        ),
        (
            lambda: list(Noisy([0], ("a", "b"), SWAP).answer(questions([0]))),
            "confusion is of 3 classes, and there are 2",
        ),
        (
            lambda: list(Noisy(["ash"], CLASSES).answer(questions([1]))),
            "there is no truth for position 1: labels has positions 0 to 0",
        ),
        (
            lambda: Model([[1.0, 0.0]], ("a", "b")).answer(questions([1])),
            "there is no prediction for position 1: there are 1",
        ),
    ],
)
def test_wrong_settings_are_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        make()  # type: ignore[operator]


def test_predictions_must_be_numbers_with_a_column_per_class() -> None:
    message = "predictions have shape (2, 2) instead of (2, 3): a column per class"
    with pytest.raises(BadShape, match=f"^{re.escape(message)}$"):
        Model(np.ones((2, 2)), CLASSES)
    with pytest.raises(NotFinite, match=r"^predictions hold NaN or infinity in 1 rows$"):
        Model([[np.nan, 0.0], [1.0, 0.0]], ("a", "b"))
    with pytest.raises(UnknownName, match=r"^unknown annotator 'modl': did you mean 'model'\? Known: model$"):
        Model([[1.0, 0.0]], ("a", "b")).answer(questions([0]), "modl")
