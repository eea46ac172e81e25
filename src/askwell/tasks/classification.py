"""One class per item."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.core.needs import PROBS, Need
from askwell.core.task import Task
from askwell.errors import BadLabel, InputError
from askwell.metrics.classification import of_probs

__all__ = ["Classification"]

SHOWN = 12


@dataclass(frozen=True)
class Classification(Task):
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

    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        named = [name for name in self.classes if isinstance(name, str) and name]
        if len(named) < len(self.classes):
            raise InputError(f"classes are names that are not empty, got {self.classes}", got=self.classes)
        if len(named) < 2:
            raise InputError(
                f"a classification needs at least two classes, got {self.classes}: name them, or give labels",
                got=self.classes,
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise InputError(f"classes must differ: {', '.join(twice)} occurs more than once", got=self.classes)

    @property
    def outputs(self) -> int:
        return len(self.classes)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.classes)}

    def check(self, value: Any) -> str:
        """The name of a class given by name or by index, 0 to C − 1."""
        if isinstance(value, str):
            return self._named(value)
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

    def _named(self, value: str) -> str:
        if value in self._index:
            return self.classes[self._index[value]]
        near = get_close_matches(value, self.classes, n=1, cutoff=0.5)
        hint = f": did you mean {near[0]!r}?" if near else "."
        raise BadLabel(f"label {value!r} is not a class{hint} Classes: {self._shown()}", got=value)

    def _shown(self) -> str:
        more = len(self.classes) - SHOWN
        return ", ".join(self.classes[:SHOWN]) + (f" and {more} more" if more > 0 else "")

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
