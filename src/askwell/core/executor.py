"""Where work runs: inline here; processes and Ray in `scale/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Executor", "Inline"]

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Maps a function over tasks; results come in the order of the tasks."""

    def map(self, fn: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]: ...


class Inline:
    """Runs tasks one after the other in this process.

    >>> list(Inline().map(abs, [-1, 2]))
    [1, 2]
    """

    def map(self, fn: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        return map(fn, tasks)
