"""Progress: only for long work, and never a control code where there is no terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from askwell.engine.progress import Bars
from askwell.functional.steps import counting, listening


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(terminal: bool, seconds: float, *, steps: int = 100, quiet: bool = False) -> str:
    """What a hundred steps of `seconds` each show."""
    file, clock = io.StringIO(), Clock()
    console = Console(file=file, force_terminal=terminal, width=80, _environ={"TERM": "xterm"})
    with Bars(quiet, console=console, clock=clock) as bars:
        for step in range(1, steps + 1):
            clock.now += seconds
            bars("train", step, steps)
    return file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_short_work_shows_nothing(terminal: bool) -> None:
    assert run(terminal, 0.015) == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_shows_nothing(terminal: bool) -> None:
    assert run(terminal, 5.0, quiet=True) == ""


def test_without_a_terminal_a_plain_line_comes_every_ten_seconds() -> None:
    assert run(False, 0.25).splitlines() == [
        "train: 9 of 100, 23 s left",
        "train: 49 of 100, 13 s left",
        "train: 89 of 100, 3 s left",
    ]


def test_in_a_terminal_a_bar_shows_the_time_left() -> None:
    file, clock = io.StringIO(), Clock()
    with Bars(console=Console(file=file, force_terminal=True, _environ={"TERM": "xterm"}), clock=clock) as bars:
        bars("train", 0, 100)
        clock.now = 10.0
        bars("train", 40, 100)
    assert "train" in file.getvalue()
    assert "40/100" in file.getvalue()
    assert "15 s left" in file.getvalue()


def test_a_bar_goes_with_its_work_and_gives_the_cursor_back() -> None:
    shown = run(True, 0.25)
    assert "100/100" not in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_a_dumb_terminal_gets_plain_lines() -> None:
    file, clock = io.StringIO(), Clock()
    console = Console(file=file, force_terminal=True, _environ={"TERM": "dumb"})
    with Bars(console=console, clock=clock) as bars:
        bars("train", 0, 10)
        clock.now = 3.0
        bars("train", 1, 10)
    assert file.getvalue() == "train: 1 of 10, 27 s left\n"


def test_work_of_one_name_may_begin_again() -> None:
    file, clock = io.StringIO(), Clock()
    with Bars(console=Console(file=file), clock=clock) as bars:
        for _ in range(3):
            bars("train", 0, 2)
            clock.now += 1.5
            bars("train", 2, 2)
    assert file.getvalue() == ""


def test_an_unknown_pace_is_said() -> None:
    file, clock = io.StringIO(), Clock()
    with Bars(console=Console(file=file), clock=clock) as bars:
        bars("train", 0, 10)
        clock.now = 3.0
        bars("train", 0, 10)
    assert file.getvalue() == "train: 0 of 10, unknown time left\n"


def test_a_sentence_stands_above_the_bars_and_is_quiet_where_they_are() -> None:
    for terminal in (True, False):
        file = io.StringIO()
        console = Console(file=file, force_terminal=terminal, width=80, _environ={"TERM": "xterm"})
        with Bars(console=console) as bars:
            bars.say("badge over 1,000,000 items: about 4 minutes")
        assert "badge over 1,000,000 items: about 4 minutes\n" in file.getvalue().replace("\r", "")
    file = io.StringIO()
    with Bars(True, console=Console(file=file)) as bars:
        bars.say("badge over 1,000,000 items: about 4 minutes")
    assert file.getvalue() == ""


def test_a_long_choice_shows_its_steps() -> None:
    file, clock = io.StringIO(), Clock()
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with Bars(console=console, clock=clock) as bars, listening(bars):
        told = counting(1000)
        told(0)
        clock.now = 10.0
        told(120)
    assert "choosing" in file.getvalue()
    assert "120/1000" in file.getvalue()
