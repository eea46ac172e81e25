"""The labels that a simulation hides, and who may be asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askwell.errors import InputError, UnknownName

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["addressed", "check_annotators", "hidden"]


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
