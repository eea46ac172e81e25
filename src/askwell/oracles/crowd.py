"""Several annotators who differ: for simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from askwell.core.oracle import Annotation, Question
from askwell.core.spec import config
from askwell.errors import InputError
from askwell.oracles.confusion import Confusion, Mistakes, check_classes, checked
from askwell.oracles.hidden import addressed, check_annotators, hidden

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Crowd"]


@dataclass(frozen=True)
class Crowd:
    """Annotators with expertise, availability and price of their own; one who is not there skips, for nothing.

    labels        the truth by position, one class per item, as indices or names; a run gives those of its data
    classes       (C,) names
    confusion     one per annotator: his share of wrong answers, spread evenly over the other classes; or (C, C): per
                  true class the shares of his answers
    annotators    names; "annotator-1", … unless given
    availability  per annotator the share of questions at which he is there, drawn for every question; 1 unless given
    cost          per annotator the price of one answer; 1 unless given
    seed          other seeds, other mistakes. A hash of seed, annotator and item fixes them: asked again, the same

    >>> from askwell.core.oracle import Question
    >>> crowd = Crowd(["cat"] * 8, ("cat", "dog"), confusion=(0.0, ((0.5, 0.5), (0.1, 0.9))), cost=(3.0, 1.0))
    >>> asked = [Question(n, "", ..., position=n) for n in range(5)]
    >>> [said.value for said in crowd.answer(asked, "annotator-2")]
    ['dog', 'dog', 'cat', 'cat', 'cat']
    """

    labels: Sequence[Any] | NDArray[Any] = field(default=(), repr=False, compare=False)
    classes: tuple[str, ...] = ()
    confusion: tuple[Confusion, ...] = (0.1, 0.2, 0.4)
    annotators: tuple[str, ...] = ()
    availability: tuple[float, ...] = ()
    cost: tuple[float, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        count = len(self.confusion)
        names = tuple(f"annotator-{one + 1}" for one in range(count))
        for name, value in (
            ("confusion", tuple(map(checked, self.confusion))),
            ("annotators", self.annotators or names),
            ("availability", self.availability or (1.0,) * count),
            ("cost", self.cost or (1.0,) * count),
        ):
            if len(value) != count:
                raise InputError(f"a crowd of {count} (one confusion each) has {len(value)} {name}", got=value)
            object.__setattr__(self, name, value)
        check_annotators(self.annotators, self.cost)
        for share in self.availability:
            if not 0 <= share <= 1:
                raise InputError(f"availability is a share from 0 to 1, got {share}", got=share)

    def knowing(self, labels: Sequence[Any] | NDArray[Any], classes: Sequence[str]) -> Crowd:
        """The same crowd for these labels and classes."""
        check_classes(classes)
        return replace(self, labels=labels, classes=tuple(classes))

    @property
    def noise(self) -> Mapping[str, float]:
        """Per annotator the share of wrong answers to be expected over the known labels; 0 where there are none."""
        known = [truth for at in range(len(self.labels)) if (truth := hidden(self.labels, at)) is not None]
        return {
            name: sum(self._mistakes.wrong(truth, confusion) for truth in known) / max(len(known), 1)
            for name, confusion in zip(self.annotators, self.confusion, strict=True)
        }

    def answer(
        self, questions: Sequence[Question], annotator: str | None = None, rng: Callable[[int], Generator] | None = None
    ) -> Iterator[Annotation]:
        """One annotation per question, by the first annotator unless another is named.

        `rng` is needed where somebody is not always there: whether he is depends on the question's own generator.
        """
        who = self.annotators.index(addressed(annotator, self.annotators))
        if self.availability[who] < 1 and rng is None:
            raise InputError(f"{self.annotators[who]!r} is not always there: give rng, a generator per question")
        return (self._said(question, who, rng) for question in questions)

    def config(self) -> Mapping[str, Any]:
        """Rates, names, prices and seed; never the labels."""
        rates = ("classes", "confusion", "annotators", "availability", "cost", "seed")
        return {"part": "crowd", **{name: config(getattr(self, name)) for name in rates}}

    @cached_property
    def _mistakes(self) -> Mistakes:
        return Mistakes(self.classes, self.seed)

    def _said(self, question: Question, who: int, rng: Callable[[int], Generator] | None) -> Annotation:
        name, truth = self.annotators[who], hidden(self.labels, question.position)
        if truth is None or not self._there(question, who, rng):
            return Annotation(question.id, name, verb="skip", cost=0.0)
        value = self._mistakes.said(truth, self.confusion[who], name, question.position)
        return Annotation(question.id, name, value=value, cost=self.cost[who])

    def _there(self, question: Question, who: int, rng: Callable[[int], Generator] | None) -> bool:
        if rng is None or self.availability[who] >= 1:
            return True
        import torch

        return float(torch.rand((), generator=rng(question.id), dtype=torch.float64)) < self.availability[who]
