"""Where the seconds go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

__all__ = ["Stopwatch"]


class Stopwatch:
    """Wall-clock seconds by part; time in a nested part counts for that part alone.

    >>> watch = Stopwatch()
    >>> with watch.part("select"), watch.part("score"):
    ...     _ = sum(range(1000))
    >>> sorted(watch.seconds)
    ['score', 'select']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._claimed = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts the time inside, less that of parts within."""
        start, before = perf_counter(), self._claimed
        try:
            yield
        finally:
            spent = perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent - (self._claimed - before)
            self._claimed = before + spent

    def take(self) -> dict[str, float]:
        """The seconds so far; starts again from zero."""
        taken, self.seconds, self._claimed = self.seconds, {}, 0.0
        return taken
