"""The truth with mistakes: for simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from askwell.core.spec import config
from askwell.oracles.confusion import Confusion, Mistakes, check_classes, checked
from askwell.oracles.hidden import Informed, check_annotators, hidden

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Noisy"]


@dataclass(frozen=True)
class Noisy(Informed):
    """Answers with the truth, or with a class that is mistaken for it; asked again it makes the same mistake.

    labels      the truth by position, one class per item, as indices or names; a run gives those of its data
    classes     (C,) names
    confusion   the share of wrong answers, spread evenly over the other classes; or (C, C): per true class the shares
                of all answers
    annotators  names under which it answers; each makes mistakes of his own, at the same rates
    cost        of one answer; where the truth is unknown it skips, for nothing
    seed        other seeds, other mistakes. They are fixed by a hash of seed, annotator and item

    >>> from askwell.core.oracle import Question
    >>> noisy = Noisy(["cat"] * 8, ("cat", "dog"), confusion=0.4)
    >>> [said.value for said in noisy.answer([Question(n, "", ..., position=n) for n in (3, 4, 5, 3)])]
    ['cat', 'dog', 'cat', 'cat']
    """

    labels: Sequence[Any] | NDArray[Any] = field(default=(), repr=False, compare=False)
    classes: tuple[str, ...] = ()
    confusion: Confusion = 0.1
    annotators: tuple[str, ...] = ("noisy",)
    cost: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "confusion", checked(self.confusion))
        check_annotators(self.annotators, [self.cost])

    def knowing(self, labels: Sequence[Any] | NDArray[Any], classes: Sequence[str]) -> Noisy:
        """The same oracle for these labels and classes."""
        check_classes(classes)
        return replace(self, labels=labels, classes=tuple(classes))

    @property
    def noise(self) -> float:
        """The share of wrong answers to be expected over the known labels; 0 where there are none."""
        known = [truth for at in range(len(self.labels)) if (truth := hidden(self.labels, at)) is not None]
        return sum(self._mistakes.wrong(truth, self.confusion) for truth in known) / max(len(known), 1)

    def told(self, truth: Any, who: str, position: int) -> Any:
        """The truth, or what is mistaken for it."""
        return self._mistakes.said(truth, self.confusion, who, position)

    def config(self) -> Mapping[str, Any]:
        """Rates, names, price and seed; never the labels."""
        rates = ("classes", "confusion", "annotators", "cost", "seed")
        return {"part": "noisy", **{name: config(getattr(self, name)) for name in rates}}

    @cached_property
    def _mistakes(self) -> Mistakes:
        return Mistakes(self.classes, self.seed)
