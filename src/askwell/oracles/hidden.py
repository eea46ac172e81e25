"""The labels that a simulation hides, and who answers from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from askwell.core.oracle import Annotation, Question
from askwell.errors import InputError, UnknownName

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Informed", "addressed", "check_annotators", "hidden"]


class Informed(ABC):
    """Base of oracles that answer from hidden labels, at one price; where the truth is unknown they skip, for nothing.

    A class has the fields `labels`, `annotators` and `cost`, and says in `told` what becomes of the truth.
    """

    labels: Sequence[Any] | NDArray[Any]
    annotators: tuple[str, ...]
    cost: float

    @abstractmethod
    def told(self, truth: Any, who: str, position: int) -> Any:
        """The answer of this annotator about the item at this position."""

    def place(self, question: Question) -> int:
        """The position whose label answers a question: that of its item."""
        return question.position

    def answer(
        self,
        questions: Sequence[Question],
        annotator: str | None = None,
        rng: Callable[[int], Generator] | None = None,
    ) -> Iterator[Annotation]:
        """One annotation per question, by the first annotator unless another is named; needs no generator."""
        who = addressed(annotator, self.annotators)
        return (self._said(question, who) for question in questions)

    def _said(self, question: Question, who: str) -> Annotation:
        place = self.place(question)
        truth = hidden(self.labels, place)
        if truth is None:
            return Annotation(question.id, who, verb="skip", cost=0.0)
        return Annotation(question.id, who, value=self.told(truth, who, place), cost=self.cost)


def hidden(labels: Sequence[Any] | NDArray[Any], position: int) -> Any:
    """The true label at a position as JSON, None where it is unknown; `InputError` outside.

    >>> hidden(["cat", None], 0), hidden([-1, 2], 0), hidden([[1, 0], [-1, -1]], 1)
    ('cat', None, None)
    """
    if not 0 <= position < len(labels):
        raise InputError(
            f"there is no truth for position {position}: labels has positions 0 to {len(labels) - 1}", got=position
        )
    value = labels[position]
    value = value.tolist() if hasattr(value, "tolist") else value
    return None if _unknown(value) else value


def _unknown(value: Any) -> bool:
    """-1 among class indices, a row of -1 among labels of 0 and 1, NaN among numbers."""
    if isinstance(value, list):
        return bool(value) and value[0] == -1
    return value != value or (isinstance(value, int) and value == -1)


def check_annotators(annotators: Sequence[str], costs: Sequence[float]) -> None:
    """Refuses nobody, a name that comes twice, and prices below 0."""
    if not annotators:
        raise InputError("an oracle needs at least one annotator")
    if len(set(annotators)) < len(annotators):
        raise InputError(f"annotators need names of their own, got {', '.join(annotators)}", got=annotators)
    for cost in costs:
        if not cost >= 0:
            raise InputError(f"cost must not be negative, got {cost}", got=cost)


def addressed(annotator: str | None, annotators: Sequence[str]) -> str:
    """Who is asked: the first unless another is named."""
    who = annotators[0] if annotator is None else annotator
    if who not in annotators:
        raise UnknownName("annotator", who, annotators)
    return who
