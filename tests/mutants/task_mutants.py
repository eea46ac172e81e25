"""Tasks with one known fault each: classification with a method overridden."""

from __future__ import annotations

import torch
from mutant import Mutant

from askwell.errors import BadLabel
from askwell.tasks import Classification


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


def _mutant(cls, source, caught_by):
    return Mutant(cls(("ash", "birch", "cedar")), source, caught_by, name=cls.__name__)


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
]
