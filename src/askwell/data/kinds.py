"""The kinds of label, by the names of the tasks that they belong to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.label_numbers import encode_numbers
from askwell.data.label_sets import encode_sets
from askwell.data.labels import encode, listed, missing
from askwell.errors import BadLabel, InputError, UnknownName

__all__ = ["CLASSIFICATION", "MULTI_LABEL", "REGRESSION", "check_task", "encoded", "usual"]

CLASSIFICATION, MULTI_LABEL, REGRESSION = "classification", "multi_label", "regression"
KINDS = (CLASSIFICATION, MULTI_LABEL, REGRESSION)


def check_task(task: str | None, classes: Sequence[str] | None) -> None:
    """Raises `UnknownName` for a task that there is not, and `InputError` for classes of numbers."""
    if task is not None and task not in KINDS:
        raise UnknownName("task", task, KINDS)
    if task == REGRESSION and classes is not None and len(classes):
        raise InputError(f"regression has no classes, got {', '.join(map(str, classes))}", got=classes)


def encoded(labels: Iterable[Any], task: str, classes: Sequence[str] | None) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Labels as `Data.labels` has them for this task, and the classes.

    >>> encoded([0.5, None], "regression", None)
    (array([0.5, nan]), ())
    """
    if task == REGRESSION:
        return encode_numbers(labels), ()
    return encode_sets(labels, classes) if task == MULTI_LABEL else encode(labels, classes)


def usual(labels: Iterable[Any], classes: Sequence[str] | None) -> None:
    """Refuses texts that say another kind of label than one class, where no task was given.

    These are JSON lists, and numbers with a fraction among numbers alone. Raises `BadLabel` with the task to give.
    """
    texts = [value for value in listed(labels) if isinstance(value, str) and not missing(value)]
    for text in texts:
        if text.startswith("[") and _is_list(text):
            raise BadLabel(f"label {text!r} is a list: for several labels per item give task='multi_label'", got=text)
    if classes is None and texts and all(_is_number(text) for text in texts):
        fraction = next((text for text in texts if not float(text).is_integer()), None)
        if fraction is not None:
            raise BadLabel(
                f"label {fraction!r} is a number with a fraction: give task='regression', or task='classification' "
                "where it is the name of a class",
                got=fraction,
            )


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
