"""Questions, answers, and who gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

from askwell.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator

__all__ = ["Annotation", "Oracle", "Question", "Simulated", "Verb"]

Verb = Literal["label", "unsure", "skip", "correct", "retract", "reopen", "also", "close"]


@dataclass(frozen=True)
class Question:
    """What an annotator is shown.

    id    of the question, not of the item; `position` is the item's place in the pool, `key` the user's own id for it
    item  the thing itself: an array, a string, a picture
    unit  the part of the item that is asked about; form: the kind of answer wanted
    parent  of an item that a strategy made: the position of the item that it was made from or next to, if it named one
    """

    id: int
    key: str
    item: Any
    position: int = -1
    unit: str = ""
    form: str = "label"
    asked_of: str | None = None
    shown: Any = None
    parent: int | None = None


@dataclass(frozen=True)
class Annotation:
    """One thing that an annotator said.

    question  None for a volunteered label, which names its `item` (a position) instead
    verb      label · unsure · skip · correct (replaces `refers`, by the same annotator) · retract (takes `refers`
              back) · reopen (asks a skipped or unsure item again) · also (one answer that labels further items) ·
              close (no more answers wanted)
    value     JSON, in the task's canonical form; for label, correct and also
    token     makes a retry safe: the same token is recorded once
    """

    question: int | None
    annotator: str
    item: int | None = None
    verb: Verb = "label"
    value: Any = None
    cost: float = 1.0
    seconds: float = 0.0
    refers: int | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        if self.verb not in get_args(Verb):
            raise InputError(f"unknown verb {self.verb!r}: use one of {', '.join(get_args(Verb))}", got=self.verb)
        if not (self.cost >= 0 and self.seconds >= 0):
            raise InputError(f"cost and seconds must not be negative, got {self.cost} and {self.seconds}")
        if self.question is None and self.item is None:
            raise InputError("an annotation names a question or an item")


class Oracle(Protocol):
    """Answers questions: hidden truth, a crowd, people, another program."""

    @property
    def annotators(self) -> Sequence[str]:
        """Names of all who may answer."""
        ...

    def answer(
        self, questions: Sequence[Question], annotator: str, rng: Callable[[int], Generator]
    ) -> Iterator[Annotation]:
        """One annotation per question by `annotator`; `rng(question id)` is his own generator for that question."""
        ...

    def config(self) -> Mapping[str, Any]:
        """What it is, as JSON; never the labels themselves."""
        ...


@runtime_checkable
class Simulated(Oracle, Protocol):
    """An oracle that answers from known labels; a run gives it those of its data."""

    def knowing(self, labels: Sequence[Any] | NDArray[Any], classes: Sequence[str]) -> Oracle:
        """The same oracle for these labels by position and these classes."""
        ...
