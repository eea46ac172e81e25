"""The hidden truth as an annotator: for simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from askwell.oracles.hidden import Informed, check_annotators

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Truth"]


@dataclass(frozen=True)
class Truth(Informed):
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

    def config(self) -> Mapping[str, Any]:
        """Names and price; never the labels."""
        return {"part": "truth", "annotators": list(self.annotators), "cost": self.cost}

    def told(self, truth: Any, who: str, position: int) -> Any:
        """The truth."""
        return truth
