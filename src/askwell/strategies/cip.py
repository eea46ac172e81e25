"""CIP: cognitive information parcels."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.parcels import lack, out_of_fold, parcels
from askwell.functional.pick import few_each_first, top
from askwell.functional.tiles import wide
from askwell.functional.uncertainty import margin
from askwell.strategies.labels import class_indices

__all__ = ["CIP"]


@dataclass(frozen=True)
class CIP(Strategy):
    """Asks for items that lie near what the model gets wrong and far from what it has understood, of every class alike.

    folds    of the labelled items, for telling what is right and what is wrong
    parcels  clusters of a class's right items, and of its wrong ones, at most
    expert   weight of the wrong parcels of each class, in the order of the classes: above 1 they are sought from
             farther away, 0 vetoes them; all 1 when empty

    Embeddings of the candidates (N, D) and the labelled items (M, D), labels (M,) as class indices, and probabilities
    (N, C). A labelled item is right where a logistic regression on the embeddings of the other folds says so. The
    score is the distance to the nearest right parcel minus that to the nearest wrong one; no predicted class gets more
    than ⌈Q/C⌉ items while others have some. Where nothing is right or nothing is wrong the margin decides. Needs
    labels. O(folds·M·D·C + N·D·P) for P parcels in all.

    Interpretation of Zhao et al. 2017, "Deep Active Learning Through Cognitive Information Parcels",
    doi:10.1145/3123266.3123337: of the paper only the abstract is at hand.

    >>> CIP().needs == (PROBS, EMBEDDING, EMBEDDING.at("labelled"), LABELS)
    True
    """

    cold_start: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(folds·M·D·C + N·D·C·parcels)"

    folds: int = 5
    parcels: int = 5
    expert: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("folds", 2), ("parcels", 1)):
            value = getattr(self, name)
            if value < least:
                raise InputError(f"{name} of 'cip' is {value}: it must be at least {least}", got=value)
        if not all(weight >= 0 for weight in self.expert):
            raise InputError(f"expert of 'cip' is {self.expert}: no weight may be below 0", got=self.expert)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING, EMBEDDING.at("labelled"), LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        probs = view[PROBS]
        scores = self._scores(view, rng)
        order = top(scores, len(view), rng)
        rows = few_each_first(order, probs.argmax(1), ceil(n / probs.shape[1]))[:n]
        return view.pick(rows, scores[rows])

    def _scores(self, view: View, rng: Generator) -> Tensor:
        """(N,) float32 so that equal items have equal numbers."""
        z, known = (wide(view[need]) for need in self.needs[1:3])
        labels = class_indices(self.name, view[LABELS]).to(known.device)
        right = out_of_fold(known, labels, self.folds, rng) == labels
        if bool(right.all()) or not bool(right.any()):
            return margin(wide(view[PROBS])).float()
        understood = parcels(known[right], labels[right], self.parcels, rng)
        wrong = parcels(known[~right], labels[~right], self.parcels, rng)
        return lack(z, understood.centres, wrong.centres, self._weights(wrong.classes)).float()

    def _weights(self, classes: Tensor) -> Tensor | None:
        """(W,) the expert's word on each wrong parcel."""
        if not self.expert:
            return None
        if int(classes.max()) >= len(self.expert):
            raise InputError(
                f"expert of 'cip' has {len(self.expert)} weights and there is a class {int(classes.max())}: give one "
                "for each class",
                got=self.expert,
            )
        return torch.tensor(self.expert, device=classes.device)[classes]
