"""The truth for real items, and for made ones the truth about what they resemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from askwell.core.oracle import Question
from askwell.errors import InputError
from askwell.oracles.hidden import Informed, check_annotators

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Nearest"]


@dataclass(frozen=True)
class Nearest(Informed):
    """Answers with the true label, about a made item with that of the real item that it was made next to.

    For simulations of strategies that make items. Where the truth is unknown it skips, for nothing; a made item that
    names no parent is an `InputError`.

    labels      the truth by position in the pool, as of `Truth`. A run gives those of its data
    annotators  names under which it answers; all say the same
    cost        of one answer, in any unit

    >>> nearest = Nearest(["cat", "dog"])
    >>> asked = [Question(7, "a.png", ..., position=0), Question(8, "made-2", ..., position=2, parent=1)]
    >>> [said.value for said in nearest.answer(asked)]
    ['cat', 'dog']
    """

    labels: Sequence[Any] | NDArray[Any] = field(default=(), repr=False, compare=False)
    annotators: tuple[str, ...] = ("nearest",)
    cost: float = 1.0

    def __post_init__(self) -> None:
        check_annotators(self.annotators, [self.cost])

    def knowing(self, labels: Sequence[Any] | NDArray[Any], classes: Sequence[str]) -> Nearest:
        """The same oracle for these labels."""
        return replace(self, labels=labels)

    def config(self) -> Mapping[str, Any]:
        """Names and price; never the labels."""
        return {"part": "nearest", "annotators": list(self.annotators), "cost": self.cost}

    def told(self, truth: Any, who: str, position: int) -> Any:
        """The truth."""
        return truth

    def place(self, question: Question) -> int:
        """The position of the item, or of the one that it was made next to."""
        if question.position < len(self.labels):
            return question.position
        if question.parent is None:
            raise InputError(
                f"question {question.id} is about the made item {question.key!r}, which names no item that it was made "
                "next to: use an oracle that looks at items, such as model",
                got=question,
            )
        return question.parent
