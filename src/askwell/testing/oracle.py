"""What every oracle promises. A check takes a function from hidden labels to the oracle.

The labels are class names, one per pool position, None where the truth is unknown. An oracle that answers with noise
has an attribute `noise`, the share of wrong answers, or the share of each annotator by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scipy.stats import binom

from askwell.core.oracle import Annotation, Oracle, Question
from askwell.core.seeds import Seeds
from askwell.testing.check import Check, check, global_generators, pinned_generators

__all__ = [
    "CHECKS",
    "check_answers_depend_on_the_question_alone",
    "check_answers_exactly_what_was_asked",
    "check_config_tells_no_labels",
    "check_labels_and_costs_are_allowed",
    "check_moves_no_global_generator",
    "check_noise_is_as_declared",
    "check_same_seed_same_answers",
    "check_unknown_truth_is_no_label",
]

Make = Callable[[Sequence[Any]], Oracle]
CLASSES = ("ash", "birch", "cedar")
LABELS = [CLASSES[position * position % 3] for position in range(60)]
SURE = 1e-9
"""How unlikely a count of wrong answers must be to contradict the declared noise."""


def _questions(positions: Sequence[int]) -> list[Question]:
    return [Question(100 + position, f"item-{position}", None, position=position) for position in positions]


def _ask(oracle: Oracle, positions: Sequence[int], seed: int = 1, who: int = 0) -> list[Annotation]:
    seeds = Seeds(seed)
    with pinned_generators(seed):
        answered = oracle.answer(_questions(positions), oracle.annotators[who], lambda question: seeds.torch(question))
        return list(answered)


@check
def check_answers_exactly_what_was_asked(make: Make) -> None:
    """One answer per question, by the annotator who was asked, never two; nothing asked, nothing answered."""
    for positions in ([], [7], list(range(0, 60, 4))):
        oracle = make(LABELS)
        for who, name in enumerate(oracle.annotators):
            told = _ask(oracle, positions, who=who)
            asked = [100 + position for position in positions]
            assert [one.question for one in told] == asked, f"asked {asked}, answered {[one.question for one in told]}"
            assert all(one.annotator == name for one in told), f"{name!r} was asked and another answered"


@check
def check_labels_and_costs_are_allowed(make: Make) -> None:
    """A label is one of the classes, another answer has none; costs and seconds are not negative."""
    for one in _ask(make(LABELS), range(60)):
        if one.verb == "label":
            assert one.value in CLASSES, f"the label {one.value!r} is none of {', '.join(CLASSES)}"
        else:
            assert one.verb in ("skip", "unsure"), f"a question was answered by {one.verb!r}"
            assert one.value is None, f"{one.verb} came with the label {one.value!r}"
        assert one.cost >= 0, f"an answer costs {one.cost}"
        assert one.seconds >= 0, f"an answer took {one.seconds} seconds"


@check
def check_same_seed_same_answers(make: Make) -> None:
    """The same seed gives the same answers, from this oracle asked again and from a new one."""
    oracle = make(LABELS)
    first, again, new = _ask(oracle, range(60)), _ask(oracle, range(60)), _ask(make(LABELS), range(60))
    assert first == again, "the same oracle answered otherwise the second time"
    assert first == new, "a new oracle of the same labels answered otherwise"


@check
def check_answers_depend_on_the_question_alone(make: Make) -> None:
    """What is answered to one question does not depend on which others were asked with it, or in what order."""
    together = {one.question: one for one in _ask(make(LABELS), range(60))}
    parts = [_ask(make(LABELS), [position]) for position in range(0, 60, 7)] + [_ask(make(LABELS), range(59, 40, -1))]
    for one in (one for part in parts for one in part):
        other = together[one.question]
        assert one == other, f"question {one.question}: {one.value!r} alone, {other.value!r} among others"


@check
def check_moves_no_global_generator(make: Make) -> None:
    """Randomness comes from the question's own generator."""
    seeds, oracle = Seeds(1), make(LABELS)
    with pinned_generators(5):
        before = global_generators()
        list(oracle.answer(_questions(range(60)), oracle.annotators[0], lambda question: seeds.torch(question)))
        assert global_generators() == before, "a global generator moved"


@check
def check_noise_is_as_declared(make: Make) -> None:
    """Over 10,000 answers the share of wrong labels agrees with `noise`, which is 0 unless given."""
    labels = [CLASSES[position % 3] for position in range(10_000)]
    oracle = make(labels)
    declared = getattr(oracle, "noise", 0.0)
    for who, name in enumerate(oracle.annotators):
        told = [one for one in _ask(oracle, range(10_000), who=who) if one.verb == "label"]
        wrong = sum(one.value != labels[(one.question or 0) - 100] for one in told)
        noise = float(declared[name] if isinstance(declared, Mapping) else declared)
        low, high = (int(binom.ppf(q, len(told), noise)) for q in (SURE, 1 - SURE))
        assert max(low, 0) <= wrong <= high, (
            f"{wrong} of {len(told)} labels by {name!r} are wrong; the declared noise is {noise}"
        )


@check
def check_unknown_truth_is_no_label(make: Make) -> None:
    """Where the truth is unknown nothing is made up: the answer is skip or unsure."""
    labels = [None if position % 5 == 0 else label for position, label in enumerate(LABELS)]
    made_up = [one.question for one in _ask(make(labels), range(0, 60, 5)) if one.verb not in ("skip", "unsure")]
    assert not made_up, f"questions {made_up} about unknown items were answered with labels"


@check
def check_config_tells_no_labels(make: Make) -> None:
    """The config is JSON, and the same whatever the labels are."""
    config = dict(make(LABELS).config())
    assert json.loads(json.dumps(config)) == config, f"the config {config} is not JSON"
    assert config == dict(make(LABELS[::-1]).config()), "the config depends on the labels"


CHECKS: tuple[Check, ...] = (
    check_answers_exactly_what_was_asked,
    check_labels_and_costs_are_allowed,
    check_same_seed_same_answers,
    check_answers_depend_on_the_question_alone,
    check_moves_no_global_generator,
    check_noise_is_as_declared,
    check_unknown_truth_is_no_label,
    check_config_tells_no_labels,
)
