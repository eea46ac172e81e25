"""Another model as an annotator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from askwell.core.oracle import Annotation, Question
from askwell.errors import BadShape, InputError, NotFinite
from askwell.oracles.hidden import addressed, check_annotators

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """Answers with the class that another model holds most probable; where it is not sure enough, it is unsure.

    predictions  (P, C) probabilities by position in the pool, such as `load_model(folder).predict(data).probs`; or a
                 function from a list of items to (n, C), row by row
    classes      (C,) names, in the order of the columns
    annotators   names under which it answers; all say the same
    cost         of one answer
    sure         least probability of the class that it answers with; below it says unsure, at the same price

    >>> from askwell.core.oracle import Question
    >>> model = Model(np.array([[.9, .1], [.45, .55]]), ("cat", "dog"), sure=0.6)
    >>> [(said.verb, said.value) for said in model.answer([Question(n, "", ..., position=n) for n in (0, 1)])]
    [('label', 'cat'), ('unsure', None)]
    """

    predictions: NDArray[Any] | Callable[[Sequence[Any]], Any] = field(repr=False, compare=False)
    classes: tuple[str, ...]
    annotators: tuple[str, ...] = ("model",)
    cost: float = 0.0
    sure: float = 0.0

    def __post_init__(self) -> None:
        check_annotators(self.annotators, [self.cost])
        if not 0 <= self.sure <= 1:
            raise InputError(f"sure is a probability from 0 to 1, got {self.sure}", got=self.sure)
        if not callable(self.predictions):
            object.__setattr__(self, "predictions", self._checked(self.predictions, len(self.predictions)))

    def answer(
        self,
        questions: Sequence[Question],
        annotator: str | None = None,
        rng: Callable[[int], Generator] | None = None,
    ) -> Iterator[Annotation]:
        """One annotation per question, by the first annotator unless another is named; needs no randomness."""
        who = addressed(annotator, self.annotators)
        rows: Iterable[NDArray[np.float64]] = self._rows(questions) if questions else ()
        return (self._said(question, who, row) for question, row in zip(questions, rows, strict=True))

    def config(self) -> Mapping[str, Any]:
        """Names, price and threshold; never the predictions."""
        return {
            "part": "model", "classes": list(self.classes), "annotators": list(self.annotators), "cost": self.cost,
            "sure": self.sure,
        }  # fmt: skip

    def _rows(self, questions: Sequence[Question]) -> NDArray[np.float64]:
        if callable(self.predictions):
            return self._checked(self.predictions([question.item for question in questions]), len(questions))
        positions = [question.position for question in questions]
        for position in positions:
            if not 0 <= position < len(self.predictions):
                raise InputError(
                    f"there is no prediction for position {position}: there are {len(self.predictions)}", got=position
                )
        found: NDArray[np.float64] = self.predictions[positions]
        return found

    def _checked(self, predictions: Any, count: int) -> NDArray[np.float64]:
        found = np.asarray(predictions, dtype=np.float64)
        if found.shape != (count, len(self.classes)):
            raise BadShape(
                f"predictions have shape {found.shape} instead of ({count}, {len(self.classes)}): a column per class",
                got=found.shape,
            )
        if not np.isfinite(found).all():
            raise NotFinite(f"predictions hold NaN or infinity in {int((~np.isfinite(found)).any(1).sum())} rows")
        return found

    def _said(self, question: Question, who: str, row: NDArray[np.float64]) -> Annotation:
        best = int(row.argmax())
        if row[best] < self.sure:
            return Annotation(question.id, who, verb="unsure", cost=self.cost)
        return Annotation(question.id, who, value=self.classes[best], cost=self.cost)
