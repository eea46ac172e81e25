"""The hidden truth as an annotator: for simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from askwell.core.oracle import Annotation, Question
from askwell.errors import InputError, UnknownName

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Truth"]


@dataclass(frozen=True, eq=False)
class Truth:
    """Answers every question with the true label, at one price; where the truth is unknown it skips, for nothing.

    labels      the truth by position in the pool; None, or as in `Data.labels` -1, a row of -1 or NaN, where it is
                unknown
    annotators  names under which it answers; all say the same
    cost        of one answer, in any unit

    >>> from askwell.core.oracle import Question
    >>> truth = Truth(["cat", None], cost=2.0)
    >>> asked = [Question(7, "a.png", ..., position=0), Question(8, "b.png", ..., position=1)]
    >>> [(said.question, said.verb, said.value, said.cost) for said in truth.answer(asked)]
    [(7, 'label', 'cat', 2.0), (8, 'skip', None, 0.0)]
    """

    labels: Sequence[Any] | NDArray[Any] = field(repr=False)
    annotators: tuple[str, ...] = ("truth",)
    cost: float = 1.0

    def __post_init__(self) -> None:
        if not self.cost >= 0:
            raise InputError(f"cost must not be negative, got {self.cost}", got=self.cost)
        if not self.annotators:
            raise InputError("an oracle needs at least one annotator")

    def answer(
        self,
        questions: Sequence[Question],
        annotator: str | None = None,
        rng: Callable[[int], Generator] | None = None,
    ) -> Iterator[Annotation]:
        """One annotation per question, by the first annotator unless another is named; needs no randomness."""
        who = self.annotators[0] if annotator is None else annotator
        if who not in self.annotators:
            raise UnknownName("annotator", who, self.annotators)
        return (self._said(question, who) for question in questions)

    def config(self) -> Mapping[str, Any]:
        """Names and price; never the labels."""
        return {"part": "truth", "annotators": list(self.annotators), "cost": self.cost}

    def _said(self, question: Question, who: str) -> Annotation:
        value = self._truth(question.position)
        if value is None:
            return Annotation(question.id, who, verb="skip", cost=0.0)
        return Annotation(question.id, who, value=value, cost=self.cost)

    def _truth(self, position: int) -> Any:
        if not 0 <= position < len(self.labels):
            raise InputError(
                f"there is no truth for position {position}: labels has positions 0 to {len(self.labels) - 1}",
                got=position,
            )
        value = self.labels[position]
        value = value.tolist() if hasattr(value, "tolist") else value
        return None if _unknown(value) else value


def _unknown(value: Any) -> bool:
    """-1 among class indices, a row of -1 among labels of 0 and 1, NaN among numbers."""
    if isinstance(value, list):
        return bool(value) and value[0] == -1
    return value != value or (isinstance(value, int) and value == -1)
