"""A data set: items, classes, hidden labels, and which items may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Pool
from askwell.data.digest import of_array, of_parts
from askwell.errors import BadData

__all__ = ["Data", "Split", "known"]


@dataclass(frozen=True, eq=False)
class Split:
    """Positions (n,) int64 in one pool, ascending; no position has two roles, and the rest is set aside.

    >>> Split(np.array([0, 1]), np.array([], np.int64), np.array([1]))
    Traceback (most recent call last):
    askwell.errors.BadData: a split gives one role to every item, item 1 has two
    """

    candidates: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def __post_init__(self) -> None:
        together = np.sort(np.concatenate([self.candidates, self.validation, self.test]))
        twice = together[1:][together[1:] == together[:-1]]
        if len(twice):
            raise BadData(f"a split gives one role to every item, item {twice[0]} has two", got=int(twice[0]))
        for role in (self.candidates, self.validation, self.test):
            if (np.diff(role) < 0).any():
                raise BadData("positions of a split must be ascending", got=role)


@dataclass(frozen=True, eq=False)
class Data:
    """What `load` returns.

    task     the kind of label: classification, multi_label or regression, a name of `tasks`
    labels   hidden truth by position, or None; no path leads here from the pool. For classification class indices (N,)
             int64, -1 where unknown; for multi_label 0 and 1 (N, C) int8, a row of -1 where unknown; for regression
             numbers (N,) float64, NaN where unknown
    groups   (N,) who or what each item comes from, such as a patient or a record, where the source says so
    source   with `options` loads the same data again; "" for what was given in memory
    """

    name: str
    source: str
    options: Mapping[str, Any]
    pool: Pool
    classes: tuple[str, ...]
    labels: NDArray[Any] | None = field(repr=False)
    split: Split = field(repr=False)
    task: str = "classification"
    groups: NDArray[Any] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.pool)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) whether the truth is known."""
        if self.labels is None:
            return np.zeros(len(self), bool)
        return known(self.labels)

    @cached_property
    def digest(self) -> str:
        """Hash of all that results depend on: items, hidden labels, classes, features that were given, the task.

        A classification, the one task of the first projects, is not named, so that their hashes stay.
        """
        labels = "none" if self.labels is None else of_array(np.asarray(self.labels))
        task = () if self.task == "classification" else (self.task,)
        return of_parts(self.pool.digest, labels, repr(self.classes), str(getattr(self.pool, "given", "")), *task)


def known(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of these labels (N,) or (N, C) are known.

    >>> known(np.array([0, -1])).tolist(), known(np.array([2.5, np.nan])).tolist()
    ([True, False], [True, False])
    """
    there: NDArray[np.bool_] = ~np.isnan(labels) if labels.dtype.kind == "f" else np.asarray(labels >= 0)
    return there if there.ndim == 1 else np.asarray(there.all(1))
