"""Oracles with one known fault each."""

from __future__ import annotations

import random
from types import SimpleNamespace

import torch
from mutant import Mutant

from askwell.core.oracle import Annotation


class Clean:
    """Answers with the truth; skips where it is unknown."""

    annotators = ("truth",)

    def __init__(self, labels):
        self.labels = list(labels)

    def answer(self, questions, annotator, rng):
        for question in questions:
            value = self.value(question, rng)
            yield Annotation(question.id, annotator, verb="skip" if value is None else "label", value=value)

    def value(self, question, rng):
        return self.labels[question.position]

    def config(self):
        return {"oracle": "clean"}


class AnswersTwice(Clean):
    def answer(self, questions, annotator, rng):
        for one in super().answer(questions, annotator, rng):
            yield from [one] * (2 if len(questions) == 15 else 1)


class VolunteersAnswers(Clean):
    # Answers a question that nobody asked.

    def answer(self, questions, annotator, rng):
        yield from super().answer(questions, annotator, rng)
        if not questions:
            yield Annotation(100, annotator, value=self.labels[0])


class SpeaksForAnother(Clean):
    def answer(self, questions, annotator, rng):
        return super().answer(questions, "somebody", rng)


class ClassIndices(Clean):
    # Answers with an index where the task wants a name.

    def value(self, question, rng):
        return 0 if question.position == 7 else super().value(question, rng)

    def __init__(self, labels):
        super().__init__(labels)
        self.noise = 0.0001


class NegativeCost(Clean):
    def answer(self, questions, annotator, rng):
        for one in super().answer(questions, annotator, rng):
            yield SimpleNamespace(**{**vars(one), "cost": -1.0})


class RemembersWhatItSaid(Clean):
    # Answers otherwise when it is asked again.

    def __init__(self, labels):
        super().__init__(labels)
        self.asked = set()

    def value(self, question, rng):
        again = question.id in self.asked
        self.asked.add(question.id)
        return super().value(question, rng) if not again or super().value(question, rng) is None else "ash"


class OneGeneratorForAll(Clean):
    # Draws all noise from the generator of the first question.

    noise = 0.3

    def answer(self, questions, annotator, rng):
        shared = rng(questions[0].id) if questions else None
        return super().answer(questions, annotator, lambda _: shared)

    def value(self, question, rng):
        return self.said(question, bool(torch.rand((), generator=rng(question.id)) < self.noise))

    def said(self, question, flipped):
        truth = self.labels[question.position]
        return {"ash": "birch", "birch": "cedar", "cedar": "ash", None: None}[truth] if flipped else truth


class GlobalNoise(OneGeneratorForAll):
    # Draws from the global generator, which it sets to the seed of the question first.

    answer = Clean.answer

    def value(self, question, rng):
        random.seed(rng(question.id).initial_seed())
        return self.said(question, random.random() < self.noise)


class SilentNoise(Clean):
    # One answer in two hundred is wrong, and nothing says so.

    def value(self, question, rng):
        truth = super().value(question, rng)
        return "ash" if truth and question.position % 200 == 199 else truth


class NoisyColleague(Clean):
    # The second annotator is wrong more often than his own share says.

    annotators = ("truth", "colleague")
    noise = {"truth": 0.0, "colleague": 0.1}  # noqa: RUF012 - an oracle of the mapping form

    def answer(self, questions, annotator, rng):
        for one in super().answer(questions, annotator, rng):
            slip = annotator == "colleague" and one.value and (one.question or 0) % 5 == 0
            yield Annotation(one.question, annotator, value="ash") if slip else one


class MakesUpLabels(Clean):
    def value(self, question, rng):
        return super().value(question, rng) or "ash"


class LabelsInTheConfig(Clean):
    def config(self):
        return {"oracle": "clean", "labels": self.labels}


class ConfigThatIsNoJson(Clean):
    def config(self):
        return {"oracle": "clean", "annotators": self.annotators}


def _mutant(cls, source, caught_by):
    return Mutant(cls, source, caught_by, name=cls.__name__)


MUTANTS = [
    _mutant(AnswersTwice, "ANCHORS 3 oracle", "check_answers_exactly_what_was_asked"),
    _mutant(VolunteersAnswers, "ANCHORS 3 oracle", "check_answers_exactly_what_was_asked"),
    _mutant(SpeaksForAnother, "ANCHORS 3 oracle", "check_answers_exactly_what_was_asked"),
    _mutant(ClassIndices, "ANCHORS 3 oracle", "check_labels_and_costs_are_allowed"),
    _mutant(NegativeCost, "ANCHORS 3 oracle", "check_labels_and_costs_are_allowed"),
    _mutant(RemembersWhatItSaid, "ANCHORS 3 oracle", "check_same_seed_same_answers"),
    _mutant(OneGeneratorForAll, "CONTRACTS 1.2", "check_answers_depend_on_the_question_alone"),
    _mutant(GlobalNoise, "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    _mutant(SilentNoise, "ANCHORS 3 oracle", "check_noise_is_as_declared"),
    _mutant(NoisyColleague, "ANCHORS 3 oracle", "check_noise_is_as_declared"),
    _mutant(MakesUpLabels, "FIELD 2.18", "check_unknown_truth_is_no_label"),
    _mutant(LabelsInTheConfig, "DESIGN 4", "check_config_tells_no_labels"),
    _mutant(ConfigThatIsNoJson, "CONTRACTS 1", "check_config_tells_no_labels"),
]
