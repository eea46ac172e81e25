"""Every error that askwell raises on purpose.

AskwellError                       exit code 1
├── InputError (ValueError)        2   something given is wrong: what, where, got, allowed, nearest name
│   ├── UnknownName                    a name that nothing answers to
│   ├── DuplicateName                  two parts answer to one name
│   ├── BadShape                       a tensor of the wrong shape or type
│   ├── NotFinite                      NaN or infinity where a number is needed
│   ├── BadLabel                       an answer that the task does not allow
│   └── BadData                        a file or folder that cannot be read as data
├── UnmetNeeds                     3   parts that do not fit together
│   ├── UndeclaredNeed                 a strategy read what it did not declare
│   └── ColdStart                      a strategy that needs labels was asked without any
├── PoolExhausted                  4   more items wanted than there are
├── ProjectError                   5   a project folder or its store refuses
│   ├── NewerSchema                    written by a newer askwell
│   ├── StaleBasis                     planned from a model that is no longer the latest
│   ├── NeverAsked                     a label for an item that was not asked
│   ├── Conflict                       an answer that contradicts one already recorded
│   └── NotWritable                    read-only, full, or locked
├── Diverged                       6   a loss that is not a number
└── MissingExtra (ImportError)     7   an optional package is not installed
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar

__all__ = [
    "AskwellError",
    "BadData",
    "BadLabel",
    "BadShape",
    "ColdStart",
    "Conflict",
    "Diverged",
    "DuplicateName",
    "InputError",
    "MissingExtra",
    "NeverAsked",
    "NewerSchema",
    "NotFinite",
    "NotWritable",
    "PoolExhausted",
    "ProjectError",
    "StaleBasis",
    "UndeclaredNeed",
    "UnknownName",
    "UnmetNeeds",
]


class AskwellError(Exception):
    """Root of the tree; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class InputError(AskwellError, ValueError):
    """Something given is wrong. `got` carries the value."""

    exit_code = 2

    def __init__(self, message: str, *, got: Any = None) -> None:
        super().__init__(message)
        self.got = got


class UnknownName(InputError):
    """A name that nothing answers to; the message offers the nearest known one.

    >>> print(UnknownName("strategy", "badg", ["badge", "margin"]))
    unknown strategy 'badg': did you mean 'badge'? Known: badge, margin
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"unknown {kind} {name!r}: {hint}Known: {', '.join(known) or 'none'}", got=name)
        self.known = known
        self.nearest = near[0] if near else None


class DuplicateName(InputError):
    """Two parts answer to one name."""


class BadShape(InputError):
    """A tensor of the wrong shape or type."""


class NotFinite(InputError):
    """NaN or infinity where a number is needed."""


class BadLabel(InputError):
    """An answer that the task does not allow."""


class BadData(InputError):
    """A file or folder that cannot be read as data."""


class UnmetNeeds(AskwellError):
    """Parts that do not fit together. `names` lists the needs that nobody provides."""

    exit_code = 3

    def __init__(self, message: str, names: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)


class UndeclaredNeed(UnmetNeeds):
    """A strategy read what it did not declare."""


class ColdStart(UnmetNeeds):
    """A strategy that needs labels was asked without any."""


class PoolExhausted(AskwellError):
    """More items wanted than there are."""

    exit_code = 4

    def __init__(self, wanted: int, available: int) -> None:
        super().__init__(f"cannot choose {wanted} items from {available} candidates: ask for 1 to {available}")
        self.wanted, self.available = wanted, available


class ProjectError(AskwellError):
    """A project folder or its store refuses."""

    exit_code = 5


class NewerSchema(ProjectError):
    """Written by a newer askwell."""


class StaleBasis(ProjectError):
    """Planned from a model that is no longer the latest."""


class NeverAsked(ProjectError):
    """A label for an item that was not asked."""


class Conflict(ProjectError):
    """An answer that contradicts one already recorded."""


class NotWritable(ProjectError):
    """Read-only, full, or locked."""


class Diverged(AskwellError):
    """A loss that is not a number. `update` and `step` say where."""

    exit_code = 6

    def __init__(self, update: str, step: int, loss: float) -> None:
        super().__init__(
            f"training diverged: update {update!r} had loss {loss} at step {step}; lower its learning rate (lr)"
        )
        self.update, self.step, self.loss = update, step, loss


class MissingExtra(AskwellError, ImportError):
    """An optional package is not installed.

    >>> print(MissingExtra("kornia", "augment"))
    this needs the package 'kornia': pip install "askwell[augment]"
    """

    exit_code = 7

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'this needs the package {package!r}: pip install "askwell[{extra}]"')
        self.package, self.extra = package, extra
