"""One class per item."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.core.needs import MC_PROBS, PROBS, Need
from askwell.errors import BadLabel
from askwell.metrics.classification import of_probs
from askwell.tasks.named import Named

__all__ = ["Classification"]


@dataclass(frozen=True)
class Classification(Named):
    """Each item belongs to one of C named classes. A label is the name of its class.

    classes  (C,) names, at least two, all different, in the order of a net's outputs

    Outputs are logits (n, C); predictions are probabilities (n, C); targets are class indices (n,) int64, or soft ones
    (n, C) for the loss alone.

    >>> task = Classification(("cat", "dog"))
    >>> task.check(1), task.encode(["dog", "cat"]).tolist(), task.decide(torch.tensor([[.2, .8]]))
    ('dog', [1, 0], ['dog'])
    >>> task.check("dgo")
    Traceback (most recent call last):
    askwell.errors.BadLabel: label 'dgo' is not a class: did you mean 'dog'? Classes: cat, dog
    """

    offers: ClassVar[Mapping[Need, str]] = {PROBS: "probs"}
    drawn: ClassVar[Mapping[Need, str]] = {MC_PROBS: "probs"}
    kind: ClassVar[str] = "classification"
    least: ClassVar[int] = 2

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def check(self, value: Any) -> str:
        """The name of a class given by name or by index, 0 to C − 1."""
        if isinstance(value, str):
            return self.classes[self._place(value, value)]
        try:
            index = -1 if isinstance(value, bool) else operator.index(value)
        except TypeError:
            index = -1
        if not 0 <= index < len(self.classes):
            raise BadLabel(
                f"label {value!r} is neither the name of a class nor an index from 0 to {len(self.classes) - 1}. "
                f"Classes: {self._shown()}",
                got=value,
            )
        return self.classes[index]

    def encode(self, values: Sequence[Any]) -> Tensor:
        """(n,) int64 class indices."""
        return torch.tensor([self._index[self.check(value)] for value in values], dtype=torch.int64)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(n,) cross-entropy in nats."""
        return F.cross_entropy(outputs, targets, reduction="none")

    def probs(self, outputs: Tensor) -> Tensor:
        """(n, C) float32, rows that sum to one."""
        return outputs.float().softmax(1)

    def predict(self, outputs: Tensor) -> Tensor:
        """(n, C) probabilities."""
        return self.probs(outputs)

    def decide(self, predictions: Tensor) -> list[str]:
        """The most probable class of each item; of equal ones the first."""
        return [self.classes[place] for place in predictions.argmax(1).tolist()]

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """accuracy, balanced_accuracy, macro_f1, auroc, ece and nll of probabilities (n, C)."""
        return of_probs(outputs, targets)

    def tempered(self, predictions: Tensor, temperature: float) -> Tensor:
        """(n, C) softmax(log p / T); above 1 less sure, below 1 surer. Guo et al. 2017, arXiv 1706.04599.

        >>> Classification(("cat", "dog")).tempered(torch.tensor([[.9, .1]]), 2.0)
        tensor([[0.7500, 0.2500]])
        """
        return (predictions.log() / temperature).softmax(1)
