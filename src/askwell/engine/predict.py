"""What a model says about items: labels and probabilities, in memory, as a table and as a file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.learner import Learner
from askwell.core.pool import Pool
from askwell.core.task import Task
from askwell.errors import MissingExtra, NotWritable

__all__ = ["Predictions", "predicted", "reading"]

COLUMNS = {"label": "class", "labels": "labels", "number": "value"}
"""Name of the column of labels, by the task's form."""
NOTHING = "[]"
"""None of the labels, as sheets of answers write it."""
READING = ("text", "key", "encoding", "corrupt")
"""Options of a project's own data that hold for new items too, where they apply to them."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Labels of n items and how sure the model is of them; `len` is n.

    keys         (n,) the users' own ids; labels (n,) the most probable ones, as the task writes them
    probs        (n, C) float32, of `classes`, after `temperature`; None where labels are no names
    temperature  by which the probabilities were calibrated; 1 where they were not
    form         of the task: "label", "labels", "number", …

    >>> found = Predictions(["a", "b"], ["cat", "dog"], np.array([[.75, .25], [.5, .5]], np.float32), ("cat", "dog"))
    >>> found.columns
    ('id', 'class', 'p(cat)', 'p(dog)')
    >>> [" ".join(map(str, row)) for row in found]
    ['a cat 0.75 0.25', 'b dog 0.5 0.5']
    """

    keys: Sequence[str]
    labels: Sequence[Any]
    probs: NDArray[np.float32] | None = field(default=None, repr=False)
    classes: tuple[str, ...] = ()
    temperature: float = 1.0
    form: str = "label"

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def columns(self) -> tuple[str, ...]:
        """id; class, labels ("a|b", "[]" for none) or value, by the task; one column of probabilities per class."""
        return ("id", COLUMNS.get(self.form, self.form), *(f"p({name})" for name in self.classes))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """One row per item, as `columns` says; numbers are numpy's float32, which are written without losing a bit."""
        for place, (key, label) in enumerate(zip(self.keys, self.labels, strict=True)):
            yield (key, self._cell(label), *(() if self.probs is None else self.probs[place]))

    def frame(self) -> Any:
        """A pandas DataFrame with these columns (extra `tables`)."""
        try:
            import pandas
        except ImportError:
            raise MissingExtra("pandas", "tables") from None
        named = {"id": list(self.keys), self.columns[1]: [self._cell(label) for label in self.labels]}
        probs = {} if self.probs is None else dict(zip(self.columns[2:], self.probs.T, strict=True))
        return pandas.DataFrame({**named, **probs})

    def to_csv(self, path: str | Path) -> Path:
        """Writes the rows to a file in UTF-8, whole or not at all, and returns its path."""
        path = Path(path)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(self.columns)
                writer.writerows(self)
            draft.replace(path)
        except OSError as error:
            raise NotWritable(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return path

    def _cell(self, label: Any) -> Any:
        """A label as one cell."""
        if self.form == "labels":
            return "|".join(label) or NOTHING
        if self.form == "number":
            return np.float32(label)
        return label if isinstance(label, str) else json.dumps(label)


def predicted(learner: Learner, pool: Pool, ids: Tensor, task: Task, temperature: float = 1.0) -> Predictions:
    """What a fitted learner says about items of a pool, ids (n,); batch by batch, so that only (n, C) is held.

    The labels are those of the predictions before `temperature`, which changes none of them.
    """
    found = learner.predict(pool, ids).cpu()
    calibrated = found if temperature == 1 else task.tempered(found, temperature)
    return Predictions(
        pool.keys(ids.numpy()),
        task.decide(found),
        calibrated.numpy() if task.labels else None,
        task.labels,
        temperature,
        task.form,
    )


def reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options of a project's data by which new items are read.

    >>> reading({"text": "review", "label": "stars", "seed": 3})
    {'text': 'review'}
    """
    return {name: options[name] for name in READING if isinstance(options.get(name), str)}
