"""EMOC: expected model output change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import EMBEDDING, LABELS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.distance import Points
from askwell.functional.kernels import Gaussian
from askwell.functional.output_change import expected_output_change
from askwell.strategies.labels import class_indices
from askwell.strategies.targeted import evenly

__all__ = ["EMOC"]


@dataclass(frozen=True)
class EMOC(ScoreStrategy):
    """Asks for the labels that are expected to change the predictions for other items most.

    width      ℓ of the kernel exp(−d²/2ℓ²); None: the spread of the reference, ℓ² its total variance
    noise      variance of the labels about the Gaussian process, above 0
    reference  R candidates at most, evenly spaced by id, whose predictions count

    Embeddings of the candidates (N, D) and of the labelled items (M, D), and their labels (M,) as class indices. On the
    embeddings a Gaussian process for each class against the rest is fitted in closed form; the score is the mean
    absolute change of its outputs, over both labels as it expects them, summed over classes. Without labels it asks
    where candidates are dense. O(M³ + N·(M + R)·(M + D)).

    Freytag, Rodner and Denzler 2014, doi:10.1007/978-3-319-10593-2_37.

    >>> line, known = torch.tensor([[0.], [.5], [2.], [4.]]), torch.tensor([[0.]])
    >>> given = {EMBEDDING: line, EMBEDDING.at("labelled"): known, LABELS: torch.tensor([0])}
    >>> view = View(torch.arange(4), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([4])})
    >>> EMOC(width=1).select(view, 2, torch.Generator())
    Batch(ids=tensor([2, 3]), scores=tensor([0.3072, 0.2585]), ...)
    """

    rowwise: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(M³ + N·(M + reference)·(M + D))"

    width: float | None = None
    noise: float = 0.1
    reference: int = 500

    def __post_init__(self) -> None:
        for name in ("width", "noise", "reference"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} of 'emoc' is {value}: it must be above 0", got=value)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"), LABELS)

    def score(self, view: View) -> Tensor:
        space = Points(*view.whole(EMBEDDING))
        sample = space.take(evenly(len(space), self.reference).to(view.ids.device))
        known = space.beside(view[EMBEDDING.at("labelled")])
        width = _spread(sample.rows) if self.width is None else self.width
        sides = _sides(class_indices(self.name, view[LABELS]), view.num_classes)
        return expected_output_change(space, sample, known, sides, Gaussian(width * 2**0.5), self.noise)


def _spread(rows: Tensor) -> float:
    """Root of the total variance of rows (R, D); 1 where they are all alike."""
    variance = float(rows.double().var(0, correction=0).sum())
    return variance**0.5 or 1.0


def _sides(labels: Tensor, classes: int | None) -> Tensor:
    """(M, C) of 1 for the class of a labelled item and −1 for the others; C is one above the last label if unknown."""
    if classes is None:
        classes = int(labels.max()) + 1 if len(labels) else 1
    return 2.0 * (labels[:, None] == torch.arange(classes, device=labels.device)) - 1
