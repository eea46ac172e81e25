"""Progress with time left, on standard error or below a notebook's cell, for work that is longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

__all__ = ["Bars"]


class Display(Protocol):
    """How progress is shown. `show` is called at most ten times a second for each piece of work."""

    def show(self, what: str, done: int, total: int, left: float) -> None: ...

    def end(self, what: str) -> None: ...

    def say(self, sentence: str) -> None: ...

    def close(self) -> None: ...


class Bars:
    """Called with (what, done, total); shows a bar for each piece of work that has run for `delay` seconds.

    A piece of work begins when its name is first seen and ends when done reaches total; then the name may begin
    again. Where standard error is not a terminal, a plain line comes every ten seconds instead, with no control codes;
    in a notebook the bars are one output of the cell.

    >>> with Bars(quiet=True) as progress:
    ...     progress("train", 1, 100)
    """

    def __init__(
        self,
        quiet: bool = False,
        *,
        console: Console | None = None,
        delay: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`quiet` shows nothing at all; a `console` is used in a notebook too."""
        self.quiet, self.delay, self.clock = quiet, delay, clock
        self._console = console
        self._started: dict[str, tuple[float, int]] = {}
        self._shown: dict[str, float] = {}
        self._display: Display | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.close()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.quiet:
            return
        now = self.clock()
        began, before = self._started.setdefault(what, (now, done))
        elapsed, fresh = now - began, done - before
        if done >= total:
            self._end(what)
        elif elapsed >= self.delay and now - self._shown.get(what, -1.0) >= 0.1:
            self._shown[what] = now
            self._open().show(what, done, total, elapsed / fresh * (total - done) if fresh else float("nan"))

    def say(self, sentence: str) -> None:
        """A line of its own, above the bars; nothing where quiet."""
        if not self.quiet:
            self._open().say(sentence)

    def _end(self, what: str) -> None:
        self._started.pop(what, None)
        if self._shown.pop(what, None) is not None:
            self._open().end(what)

    def _open(self) -> Display:
        if self._display is None:
            self._display = Cell() if self._console is None and in_notebook() else self._on(self._console)
        return self._display

    def _on(self, console: Console | None) -> Display:
        console = console or Console(stderr=True)
        moving = console.is_terminal and not console.is_dumb_terminal
        return Moving(console) if moving else Lines(console, self.clock)


class Moving:
    """Bars that are redrawn in place and vanish with their work."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]} left"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def show(self, what: str, done: int, total: int, left: float) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, left="")
        self._bars.update(self._tasks[what], completed=done, total=total, left=duration(left))

    def end(self, what: str) -> None:
        self._bars.remove_task(self._tasks.pop(what))

    def say(self, sentence: str) -> None:
        self._bars.console.print(sentence, highlight=False, markup=False)

    def close(self) -> None:
        self._bars.stop()


class Lines:
    """A plain line for each piece of work, at most one every ten seconds."""

    def __init__(self, console: Console, clock: Callable[[], float], every: float = 10.0) -> None:
        self._file, self._clock, self._every = console.file, clock, every
        self._last: dict[str, float] = {}

    def show(self, what: str, done: int, total: int, left: float) -> None:
        now = self._clock()
        if now - self._last.get(what, -self._every) >= self._every:
            self._last[what] = now
            print(f"{what}: {done} of {total}, {duration(left)} left", file=self._file, flush=True)

    def end(self, what: str) -> None:
        self._last.pop(what, None)

    def say(self, sentence: str) -> None:
        print(sentence, file=self._file, flush=True)

    def close(self) -> None:
        self._last.clear()


class Cell:
    """Bars in one output of a notebook's cell, which is rewritten in place and empty at the end."""

    def __init__(self) -> None:
        self._bars: dict[str, str] = {}
        self._handle: Any = None

    def show(self, what: str, done: int, total: int, left: float) -> None:
        counted = f"{done} of {total}, {duration(left)} left"
        bar = f'<progress value="{done}" max="{total}">{counted}</progress>'
        self._bars[what] = f"<div>{escape(what)} {bar} {counted}</div>"
        self._write()

    def end(self, what: str) -> None:
        self._bars.pop(what, None)
        self._write()

    def say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def close(self) -> None:
        self._bars.clear()
        self._write()

    def _write(self) -> None:
        shown = import_module("IPython.display")
        page = shown.HTML(f"<div>{''.join(self._bars.values())}</div>")
        if self._handle is None:
            self._handle = shown.display(page, display_id=True)
        else:
            self._handle.update(page)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is asked only where it is loaded already."""
    loaded = sys.modules.get("IPython")
    shell = loaded.get_ipython() if loaded is not None else None
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in type(shell).__mro__)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(8.4), duration(250), duration(7300), duration(float("nan"))
    ('8 s', '4 min', '2 h 2 min', 'unknown time')
    """
    if seconds != seconds:
        return "unknown time"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
