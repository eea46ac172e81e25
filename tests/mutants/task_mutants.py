"""Tasks with one known fault each: a task of ours with a method overridden."""

from __future__ import annotations

from typing import ClassVar

import torch
from mutant import Mutant

from askwell.core.needs import MC_LABEL_PROBS
from askwell.errors import BadLabel
from askwell.tasks import Classification, MultiLabel, Regression


class Clean(Classification):
    """Classification whose units reduce by a loop, so that only the fault of each mutant is at fault."""

    def reduce(self, scores, items, n):
        return torch.stack([scores[items == item].max() for item in range(n)])


class DecidesIndices(Clean):
    # Labels are indices on the way out and names on the way in.

    def decide(self, predictions):
        return predictions.argmax(1).tolist()


class TakesAnyLabel(Clean):
    # An unknown label becomes the first class.

    def check(self, value):
        try:
            return super().check(value)
        except BadLabel:
            return self.classes[0]


class MeanLoss(Clean):
    def loss(self, outputs, targets):
        losses = super().loss(outputs, targets)
        return losses - losses.detach() + losses.detach().mean() if len(losses) else losses


class WrongSign(Clean):
    def loss(self, outputs, targets):
        return -super().loss(outputs, targets)


class NormalisedPredictions(Clean):
    # Divides by the largest prediction of the batch.

    def predict(self, outputs):
        found = super().predict(outputs)
        return found / found.max()

    def tempered(self, predictions, temperature):
        found = super().tempered(predictions, temperature)
        return found / found.max()


class LogitsForProbabilities(Clean):
    def probs(self, outputs):
        return outputs.sigmoid()

    def predict(self, outputs):
        return outputs.softmax(1)


class LowerIsBetter(Clean):
    # The headline is an error rate, and higher is taken for better.

    def metrics(self, outputs, targets):
        found = super().metrics(outputs, targets)
        return {**found, "accuracy": 1 - found["accuracy"]}


class FirstUnitWins(Clean):
    def reduce(self, scores, items, n):
        return torch.stack([scores[items == item][0] for item in range(n)])


class RandomTies(Clean):
    # Breaks ties by the global generator.

    def predict(self, outputs):
        torch.rand(1)
        return super().predict(outputs)


class ComparesByIdentity(Clean):
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


class MultipliesByTemperature(Clean):
    def tempered(self, predictions, temperature):
        return super().tempered(predictions, 1 / temperature)


class OneLabelWins(MultiLabel):
    # Probabilities of several labels share one softmax.

    def predict(self, outputs):
        return outputs.softmax(1)

    def tempered(self, predictions, temperature):
        return (predictions.log() / temperature).softmax(1)


class OrderedAsSaid(MultiLabel):
    # Keeps the names in the order in which decide happens to give them.

    def check(self, value):
        return super().check(value) if isinstance(value, list) else super().check(value)[::-1]

    def decide(self, predictions):
        return [tuple(names) for names in super().decide(predictions)]


class LogitsForLabelProbs(MultiLabel):
    # Draws of label probabilities come from the logits themselves.
    drawn: ClassVar = {MC_LABEL_PROBS: "logits"}

    def logits(self, outputs):
        return outputs


class ForgetsToScaleBack(Regression):
    # Predicts on the scale of the loss.

    def predict(self, outputs):
        return outputs.float()

    def fitted(self, targets):
        return ForgetsToScaleBack(**vars(super().fitted(targets)))

    def restored(self, state):
        return ForgetsToScaleBack(**vars(super().restored(state)))


class NegativeError(Regression):
    # A score of which more is better, under the name of an error.

    def metrics(self, outputs, targets):
        found = super().metrics(outputs, targets)
        return {**found, "rmse": -found["rmse"]}


class ForgetsItsMean(Regression):
    # The mean of the labels is saved with no model.

    def restored(self, state):
        return Regression(0.0, float(state["scale"]))


class ScalesOnTheScale(Regression):
    # A second fit starts from the scale of the first.

    def fitted(self, targets):
        found = super().fitted(targets)
        return ScalesOnTheScale(found.mean, found.scale * self.scale)

    def restored(self, state):
        return ScalesOnTheScale(**vars(super().restored(state)))


class TrueIsOne(Regression):
    def check(self, value):
        return super().check(float(value) if isinstance(value, bool) else value)


def _mutant(cls, source, caught_by):
    made = cls() if issubclass(cls, Regression) else cls(("ash", "birch", "cedar"))
    return Mutant(made, source, caught_by, name=cls.__name__)


MUTANTS = [
    _mutant(DecidesIndices, "CONTRACTS 1, canonical labels", "check_labels_are_canonical_json"),
    _mutant(TakesAnyLabel, "issue 2, labels outside the classes", "check_foreign_labels_are_refused"),
    _mutant(MeanLoss, "DESIGN 4", "check_loss_is_per_item"),
    _mutant(WrongSign, "CONTRACTS 2.4 signs", "check_loss_wants_the_label"),
    _mutant(NormalisedPredictions, "DESIGN 4", "check_predictions_are_per_item"),
    _mutant(LogitsForProbabilities, "ANCHORS 1.2 guessing", "check_offers_rows"),
    _mutant(LowerIsBetter, "ANCHORS 1.9 flags for direction", "check_metrics_are_numbers"),
    _mutant(FirstUnitWins, "ANCHORS 1.9 ties", "check_units_reduce_to_items"),
    _mutant(RandomTies, "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    _mutant(ComparesByIdentity, "ANCHORS 3.14", "check_is_a_value"),
    _mutant(MultipliesByTemperature, "issue 3, calibrated predictions", "check_temperature_divides_outputs"),
    _mutant(OneLabelWins, "issue 3, several labels", "check_loss_wants_the_label"),
    _mutant(OrderedAsSaid, "CONTRACTS 1, canonical labels", "check_labels_are_canonical_json"),
    _mutant(LogitsForLabelProbs, "ANCHORS 1.2 guessing", "check_offers_rows"),
    _mutant(ForgetsToScaleBack, "issue 3, numbers in their own units", "check_loss_wants_the_label"),
    _mutant(NegativeError, "ANCHORS 1.9 flags for direction", "check_metrics_are_numbers"),
    _mutant(ForgetsItsMean, "issue 3, equal in a new process", "check_keeps_what_it_learns"),
    _mutant(ScalesOnTheScale, "issue 3, numbers in their own units", "check_keeps_what_it_learns"),
    _mutant(TrueIsOne, "issue 2, labels outside the classes", "check_foreign_labels_are_refused"),
]
