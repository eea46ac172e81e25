"""Which labels count, and of what kind they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from askwell.data.dataset import known
from askwell.data.files import array_of
from askwell.data.keys import keys_for
from askwell.data.kinds import CLASSIFICATION, REGRESSION, check_task, encoded, usual
from askwell.data.label_table import Labels, labels_of, read_label_table
from askwell.data.labels import check_classes
from askwell.data.read import Found
from askwell.data.table import frame_table
from askwell.data.table_files import ENDINGS
from askwell.errors import BadShape

__all__ = ["Labelling"]


@dataclass(frozen=True)
class Labelling:
    """What `load` was told about labels. `label`, `key` and `encoding` are for a table in `labels`, where it is one."""

    task: str | None
    classes: Sequence[str] | None
    labels: Any
    label: str | Sequence[str] | None
    key: str | Sequence[str] | None
    encoding: str | None

    def __post_init__(self) -> None:
        check_task(self.task, self.classes)

    @property
    def beside(self) -> bool:
        """Whether the labels lie in a table of their own."""
        return isinstance(self.labels, str | Path) and str(self.labels).lower().endswith(ENDINGS)

    def left(self, options: Mapping[str, Any], takes: Collection[str]) -> dict[str, Any]:
        """The options for the reader of the items, which takes these, without those that are for the labels."""
        mine = {"label"} | ({"encoding"} - set(takes))
        if isinstance(self.key, str) and "label" not in takes:
            mine.add("key")
        return {name: value for name, value in options.items() if not (self.beside and name in mine)}

    def of(self, found: Found, takes: Collection[str]) -> tuple[str, NDArray[Any] | None, tuple[str, ...]]:
        """The task, the labels as `Data.labels` has them, None where no label is known, and the classes."""
        task = self.task or CLASSIFICATION
        named = check_classes(self.classes) if self.classes is not None and task != REGRESSION else None
        values, said = self._values(found, takes, task, named)
        classes = named or said or found.classes
        if values is None:
            return task, None, (classes or ()) if task != REGRESSION else ()
        if self.task is None:
            usual(values, classes)
        codes, names = encoded(values, task, classes)
        if len(codes) != found.count:
            raise BadShape(f"there are {len(codes)} labels for {found.count} items", got=len(codes))
        return task, (codes if known(codes).any() else None), names

    def _values(
        self, found: Found, takes: Collection[str], task: str, named: tuple[str, ...] | None
    ) -> Labels | tuple[None, None]:
        """Labels as they stand."""
        if self.labels is None:
            if found.labels is None or _no_labels(found, task, named):
                return None, None
            return found.labels, None
        if self.beside:
            key = self.key if isinstance(self.key, str) else None
            items = keys_for(found.count, found.keys)
            encoding = self.encoding or "utf-8"
            return read_label_table(Path(self.labels), items, self.label, key, "label" not in takes, encoding)
        if isinstance(self.labels, str | Path):
            return array_of(Path(self.labels)), None
        return _given(self.labels)


def _no_labels(found: Found, task: str, named: tuple[str, ...] | None) -> bool:
    """Names of folders are labels of a classification alone, and of one whose classes they are."""
    if not found.guessed:
        return False
    return task != CLASSIFICATION or (named is not None and not set(named) & set(found.labels or ()))


def _given(labels: Any) -> Labels:
    """Labels in memory; the columns of a DataFrame are classes."""
    if hasattr(labels, "iloc") and hasattr(labels, "columns"):
        table = frame_table(labels, "labels")
        return labels_of(table, table.columns[0] if len(table.columns) == 1 else table.columns)
    return labels if hasattr(labels, "shape") else list(labels), None
