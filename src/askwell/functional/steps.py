"""How far a long choice has come, told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["counting", "listening", "steps"]

Listener = Callable[[str, int, int], None]
"""Called with (what, done, total)."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Hands what `steps` and `counting` say inside to this listener; None: nobody listens.

    >>> with listening(print):
    ...     for step in steps(2):
    ...         continue
    choosing 0 2
    choosing 1 2
    choosing 2 2
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def steps(total: int, what: str = "choosing") -> Iterable[int]:
    """The steps 0 … total − 1 of a loop; the listener hears of each, and that it is over when the loop is left.

    Where nobody listens it is `range`, so that it costs nothing.

    >>> steps(3)
    range(0, 3)
    """
    listener = _LISTENER.get()
    return range(total) if listener is None else _told(listener, total, what)


def counting(total: int, what: str = "choosing") -> Callable[[int], None]:
    """A function for loops that know by themselves how far they are: it is called with what is done, at last `total`.

    >>> with listening(print):
    ...     done = counting(5)
    ...     done(3)
    choosing 3 5
    """
    listener = _LISTENER.get()
    return _deaf if listener is None else lambda done: listener(what, done, total)


def _told(listener: Listener, total: int, what: str) -> Iterator[int]:
    try:
        for step in range(total):
            listener(what, step, total)
            yield step
    finally:
        listener(what, total, total)


def _deaf(done: int) -> None:
    """Hears nothing."""
