"""The append-only record of questions and answers: what a label store promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from askwell.core.oracle import Annotation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from askwell.core.view import Batch

__all__ = ["Edit", "LabelStore", "Labelled", "Resolve", "Row", "State", "Vote"]

State = Literal["unasked", "out", "answered", "skipped", "unsure"]


@dataclass(frozen=True)
class Row:
    """One question that is out."""

    question: int
    item: int
    unit: str = ""
    form: str = "label"
    asked_of: str | None = None
    round: int = 0
    score: float | None = None
    shown: Any = None


@dataclass(frozen=True)
class Vote:
    """One standing answer: after corrections and retractions."""

    seq: int
    question: int | None
    item: int
    unit: str
    annotator: str
    value: Any
    cost: float
    seconds: float
    volunteered: bool = False


@dataclass(frozen=True)
class Edit:
    """One change of the project: of its items or its classes. No answer changes by it, only what it is read as.

    seen  newest event when the edit was made: answers up to it are older than the edit
    body  what was changed, as JSON
    """

    id: int
    at: float
    seen: int
    kind: str
    body: Mapping[str, Any]


Resolve = Callable[[Sequence[Vote]], Any]
"""Several answers about one item to one label; None leaves it unlabelled."""


@dataclass(frozen=True)
class Labelled:
    """Resolved labels as of one basis, in the order of their questions.

    items  (M,) int64 positions; values: M canonical labels; questions (M,) int64, -1 for volunteered
    basis  the last event that counts
    units  which part of its item each label is about, "" for the whole
    """

    items: NDArray[np.int64]
    values: list[Any]
    questions: NDArray[np.int64]
    basis: int
    units: tuple[str, ...] = ()


class LabelStore(Protocol):
    """Append-only. Whatever a method acknowledged survives a kill."""

    def grow(self, n: int, kind: str, source: str, digest: str | None = None) -> range:
        """Adds n items to the end of the pool and returns their positions."""
        ...

    def plan(
        self, round: int, batch: Batch, *, basis: int, answers: int = 1, form: str = "label", weights: str = ""
    ) -> None:
        """Round, questions, made items and strategy state in one transaction; idempotent on the round number.

        `answers` is how many annotators are wanted per question. A basis that is not the latest fit's is refused.
        """
        ...

    def remember(self, round: int, state: Mapping[str, Any]) -> None:
        """Keeps strategy state that comes without a question, as of `round` planned rounds."""
        ...

    def take(self, n: int, annotator: str, seconds: float = 600.0) -> list[Row]:
        """Up to n questions for this annotator, his own unanswered ones first; leases them for `seconds`."""
        ...

    def give_back(self, question: int, annotator: str) -> None:
        """Frees the question for the next annotator."""
        ...

    def tell(self, annotation: Annotation) -> int:
        """Records and syncs to disk, then returns the sequence number; the same token gives the same number."""
        ...

    def tell_many(self, annotations: Sequence[Annotation]) -> list[int]:
        """All or nothing, one sync."""
        ...

    def votes(self, upto: int | None = None) -> Iterator[Vote]:
        """Standing answers as of an event, in question order."""
        ...

    def labelled(self, resolve: Resolve, upto: int | None = None) -> Labelled:
        """Resolved labels as of an event."""
        ...

    def edit(self, kind: str, body: Mapping[str, Any], *, known: int | None = None) -> int:
        """Records a change of the project and returns its number; refused where `known` edits are not all there are."""
        ...

    def edits(self) -> Sequence[Edit]:
        """All changes of the project, oldest first."""
        ...

    def extend(
        self, n: int, source: str, digest: str, labels: Mapping[int, Any] | None = None, *, known: int | None = None
    ) -> range:
        """Adds n items with the labels that came with them, and the edit that says so, in one transaction."""
        ...

    def remove(self, ids: Sequence[int] | NDArray[np.int64], *, known: int | None = None) -> NDArray[np.int64]:
        """Takes items out for good and closes their questions, in one transaction; their answers stay."""
        ...

    def made(self) -> Sequence[Mapping[str, Any]]:
        """Synthesised items: item, parent, round, role, how, payload."""
        ...

    @property
    def unasked(self) -> NDArray[np.int64]:
        """Positions that may still be asked, ascending."""
        ...

    @property
    def last(self) -> int:
        """Sequence number of the newest event, 0 when there is none."""
        ...
