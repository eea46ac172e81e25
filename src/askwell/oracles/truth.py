"""The hidden truth as an annotator: for simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from askwell.core.oracle import Annotation, Question
from askwell.oracles.hidden import addressed, check_annotators, hidden

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Truth"]


@dataclass(frozen=True)
class Truth:
    """Answers every question with the true label, at one price; where the truth is unknown it skips, for nothing.

    labels      the truth by position in the pool; None, or as in `Data.labels` -1, a row of -1 or NaN, where it is
                unknown. A run gives those of its data
    annotators  names under which it answers; all say the same
    cost        of one answer, in any unit

    >>> from askwell.core.oracle import Question
    >>> truth = Truth(["cat", None], cost=2.0)
    >>> asked = [Question(7, "a.png", ..., position=0), Question(8, "b.png", ..., position=1)]
    >>> [(said.question, said.verb, said.value, said.cost) for said in truth.answer(asked)]
    [(7, 'label', 'cat', 2.0), (8, 'skip', None, 0.0)]
    """

    labels: Sequence[Any] | NDArray[Any] = field(default=(), repr=False, compare=False)
    annotators: tuple[str, ...] = ("truth",)
    cost: float = 1.0

    def __post_init__(self) -> None:
        check_annotators(self.annotators, [self.cost])

    def knowing(self, labels: Sequence[Any] | NDArray[Any], classes: Sequence[str]) -> Truth:
        """The same oracle for these labels."""
        return replace(self, labels=labels)

    def answer(
        self,
        questions: Sequence[Question],
        annotator: str | None = None,
        rng: Callable[[int], Generator] | None = None,
    ) -> Iterator[Annotation]:
        """One annotation per question, by the first annotator unless another is named; needs no randomness."""
        who = addressed(annotator, self.annotators)
        return (self._said(question, who) for question in questions)

    def config(self) -> Mapping[str, Any]:
        """Names and price; never the labels."""
        return {"part": "truth", "annotators": list(self.annotators), "cost": self.cost}

    def _said(self, question: Question, who: str) -> Annotation:
        value = hidden(self.labels, question.position)
        if value is None:
            return Annotation(question.id, who, verb="skip", cost=0.0)
        return Annotation(question.id, who, value=value, cost=self.cost)
