"""Any number of labels per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.core.needs import LABEL_PROBS, MC_LABEL_PROBS, Need
from askwell.errors import BadLabel, InputError
from askwell.metrics.multi_label import of_label_probs
from askwell.tasks.named import Named

__all__ = ["MultiLabel"]

BETWEEN, ALSO = "|", ";"
LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True)
class MultiLabel(Named):
    """Each item has any of C named labels, or none. A label is the list of its names, in the order of `classes`.

    classes  (C,) names, all different, in the order of a net's outputs; none holds "|", which stands between names

    Outputs are logits (n, C); predictions are probabilities (n, C), each label's by itself; targets are 0 and 1 (n, C)
    float32, or anything between for the loss alone. The loss is the mean over the labels.

    >>> task = MultiLabel(("car", "sky", "tree"))
    >>> task.check("tree|car"), task.check([0, 1, 1]), task.check([])
    (['car', 'tree'], ['sky', 'tree'], [])
    >>> task.encode([["sky"], []]).tolist(), task.decide(torch.tensor([[.9, .5, .2]]))
    ([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [['car', 'sky']])
    >>> task.check(["car", "tre"])
    Traceback (most recent call last):
    askwell.errors.BadLabel: label ['car', 'tre']: 'tre' is not a class: did you mean 'tree'? Classes: car, sky, tree
    """

    form: ClassVar[str] = "labels"
    headline: ClassVar[str] = "macro_f1"
    offers: ClassVar[Mapping[Need, str]] = {LABEL_PROBS: "label_probs"}
    drawn: ClassVar[Mapping[Need, str]] = {MC_LABEL_PROBS: "label_probs"}
    kind: ClassVar[str] = "multi-label task"
    least: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        split = [name for name in self.classes if BETWEEN in name]
        if split:
            raise InputError(
                f"class {split[0]!r} holds {BETWEEN!r}, which stands between the names of a label: rename it",
                got=self.classes,
            )

    def check(self, value: Any) -> list[str]:
        """The names, given as a list (empty for none), as a text "a|b" or "a;b", or as a vector (C,) of 0 and 1."""
        return [self.classes[place] for place in self._places(value)]

    def encode(self, values: Sequence[Any]) -> Tensor:
        """(n, C) float32 of 0 and 1."""
        targets = torch.zeros(len(values), len(self.classes))
        for row, value in zip(targets, values, strict=True):
            row[self._places(value)] = 1
        return targets

    def _places(self, value: Any) -> list[int]:
        """Where a label's names stand, ascending."""
        if isinstance(value, str):
            return sorted({self._place(name.strip(), value) for name in self._split(value)})
        parts = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(parts, LISTS):
            raise self._strange(value)
        if all(isinstance(part, str) for part in parts):
            return sorted({self._place(name, value) for name in parts})
        return self._marked(value, parts)

    def _split(self, text: str) -> list[str]:
        if not text:
            raise BadLabel(f"label '' is empty: give [] where none applies. Classes: {self._shown()}", got=text)
        return [text] if text in self._index else text.split(BETWEEN if BETWEEN in text else ALSO)

    def _marked(self, value: Any, parts: Any) -> list[int]:
        if isinstance(parts, set | frozenset) or not all(isinstance(part, int | float) for part in parts):
            raise self._strange(value)
        if len(parts) != len(self.classes):
            raise BadLabel(
                f"label {value!r} has {len(parts)} numbers and there are {len(self.classes)} classes: {self._shown()}",
                got=value,
            )
        if any(part not in (0, 1) for part in parts):
            raise BadLabel(f"label {value!r} holds numbers other than 0 and 1. Classes: {self._shown()}", got=value)
        return [place for place, part in enumerate(parts) if part]

    def _strange(self, value: Any) -> BadLabel:
        return BadLabel(
            f"label {value!r} is neither a list of names nor {len(self.classes)} numbers 0 or 1. "
            f"Classes: {self._shown()}",
            got=value,
        )

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(n,) binary cross-entropy in nats, mean over the labels."""
        return F.binary_cross_entropy_with_logits(outputs, targets.to(outputs), reduction="none").mean(1)

    def label_probs(self, outputs: Tensor) -> Tensor:
        """(n, C) float32, each in [0, 1]."""
        return outputs.float().sigmoid()

    def predict(self, outputs: Tensor) -> Tensor:
        """(n, C) probabilities."""
        return self.label_probs(outputs)

    def decide(self, predictions: Tensor) -> list[list[str]]:
        """The labels of each item with a probability of at least one half; there may be none."""
        return [list(compress(self.classes, chosen)) for chosen in (predictions >= 0.5).tolist()]

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """macro_f1, micro_f1, map, subset_accuracy, hamming_loss and nll of probabilities (n, C)."""
        return of_label_probs(outputs, targets)

    def tempered(self, predictions: Tensor, temperature: float) -> Tensor:
        """(n, C) sigmoid(logit p / T): every label by itself; above 1 less sure, below 1 surer.

        >>> MultiLabel(("car", "sky")).tempered(torch.tensor([[.9, .5]]), 2.0)
        tensor([[0.7500, 0.5000]])
        """
        return (predictions.logit() / temperature).sigmoid()
