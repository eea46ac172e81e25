"""Tasks whose labels are made of C names."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, ClassVar

from askwell.core.task import Task
from askwell.errors import BadLabel, InputError

__all__ = ["Named"]

SHOWN = 12


@dataclass(frozen=True)
class Named(Task):
    """Base of tasks over C different names, in the order of a net's outputs.

    kind   what the task is called in messages
    least  the smallest C
    """

    kind: ClassVar[str]
    least: ClassVar[int]

    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        named = [name for name in self.classes if isinstance(name, str) and name]
        if len(named) < len(self.classes):
            raise InputError(f"classes are names that are not empty, got {self.classes}", got=self.classes)
        if len(named) < self.least:
            least = {1: "one class", 2: "two classes"}[self.least]
            raise InputError(
                f"a {self.kind} needs at least {least}, got {self.classes}: name them, or give labels",
                got=self.classes,
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise InputError(f"classes must differ: {', '.join(twice)} occurs more than once", got=self.classes)

    @property
    def outputs(self) -> int:
        return len(self.classes)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classes

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.classes)}

    def _place(self, name: str, label: Any) -> int:
        """The place of a name that is the label, or a part of it."""
        if name in self._index:
            return self._index[name]
        near = get_close_matches(name, self.classes, n=1, cutoff=0.5)
        hint = f": did you mean {near[0]!r}?" if near else "."
        where = "label" if isinstance(label, str) and label == name else f"label {label!r}:"
        raise BadLabel(f"{where} {name!r} is not a class{hint} Classes: {self._shown()}", got=label)

    def _shown(self) -> str:
        more = len(self.classes) - SHOWN
        return ", ".join(self.classes[:SHOWN]) + (f" and {more} more" if more > 0 else "")
