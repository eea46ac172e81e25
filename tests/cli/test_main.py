"""The program as a whole: help, version, errors and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from askwell import __version__
from askwell.cli.command import command
from askwell.cli.edit import EDITS
from askwell.cli.main import COMMANDS as MAIN
from askwell.cli.main import app
from askwell.errors import (
    AskwellError,
    Diverged,
    InputError,
    MissingExtra,
    PoolExhausted,
    ProjectError,
    UnmetNeeds,
)

COMMANDS = tuple(MAIN)
HELP = [
    ["--help"],
    *([command, "--help"] for command in (*COMMANDS, "edit")),
    *(["edit", one, "--help"] for one in EDITS),
]
Run = Callable[..., Any]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes the command `doctor` raise an error."""

    def fail(error: BaseException) -> None:
        def doctor() -> NoReturn:
            raise error

        registered = next(one for one in app.registered_commands if one.name == "doctor")
        monkeypatch.setattr(registered, "callback", command(doctor))

    return fail


def test_no_command_shows_the_help(askwell: Run) -> None:
    assert askwell() == askwell("--help")


def test_the_help_names_every_command_and_every_exit_code(askwell: Run) -> None:
    text = askwell("--help").out
    assert all(f"  {command} " in text for command in COMMANDS)
    codes = {error.exit_code for error in (InputError, UnmetNeeds, PoolExhausted, ProjectError, Diverged, MissingExtra)}
    listed = text.partition("Exit codes:")[2].splitlines()
    assert {int(line.split()[0]) for line in listed if line.strip()} == {0, 1, *codes, 130}


def test_edit_without_a_command_shows_its_help(askwell: Run) -> None:
    done = askwell("edit")
    assert (done.code, done.err) == (0, "")
    assert done == askwell("edit", "--help")


def test_version(askwell: Run) -> None:
    assert askwell("--version").out == f"askwell {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (AskwellError("it broke"), 1, "error: it broke\n"),
        (InputError("wrong\nin two lines"), 2, "error: wrong in two lines\n"),
        (UnmetNeeds("needs probs"), 3, "error: needs probs\n"),
        (PoolExhausted(5, 3), 4, "error: cannot choose 5 items from 3 candidates: ask for 1 to 3\n"),
        (ProjectError("not a project"), 5, "error: not a project\n"),
        (
            Diverged("net", 7, float("nan")),
            6,
            "error: training diverged: update 'net' had loss nan at step 7; lower its learning rate (lr)\n",
        ),
        (
            MissingExtra("pandas", "tables"),
            7,
            "error: this needs the package 'pandas': pip install \"askwell[tables]\"\n",
        ),
        (OSError(28, "No space left on device"), 5, "error: [Errno 28] No space left on device\n"),
        (KeyError("x"), 1, "error: unexpected KeyError: 'x' (askwell --debug … shows where)\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_is_one_line_and_its_exit_code(
    askwell: Run, failing: Callable[[BaseException], None], error: Exception, code: int, line: str
) -> None:
    failing(error)
    done = askwell("doctor")
    assert (done.code, done.out, done.err) == (code, "", line)


def test_with_json_an_error_is_a_document_on_standard_error(
    askwell: Run, failing: Callable[[BaseException], None]
) -> None:
    failing(InputError("wrong"))
    done = askwell("doctor", "--json")
    assert (done.code, done.out) == (2, "")
    assert json.loads(done.err) == {"error": "wrong", "exit_code": 2}
    done = askwell("doctor", "--josn", "--json")
    assert done.out == ""
    assert json.loads(done.err)["exit_code"] == 2


def test_every_command_has_json_and_quiet(askwell: Run) -> None:
    for args in HELP:
        text = askwell(*args).out
        group = args in (["--help"], ["edit", "--help"])
        assert ("--json" in text and "--quiet" in text) is not group, args


def test_debug_shows_where(askwell: Run, failing: Callable[[BaseException], None]) -> None:
    failing(InputError("wrong"))
    done = askwell("--debug", "doctor")
    assert done.code == 2
    assert "Traceback" in done.err
    assert done.err.endswith("error: wrong\n")


def test_an_interrupt_is_130(askwell: Run, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    done = askwell("doctor")
    assert (done.code, done.err) == (130, "")


def test_wrong_usage_is_one_line_and_2(askwell: Run) -> None:
    assert askwell("rn").err == "error: No such command 'rn'. Did you mean 'run'?\n"
    done = askwell("select", "-n", "3")
    assert (done.code, done.err) == (2, "error: Missing option '--strategy'.\n")


def test_the_installed_program_returns_the_code(python: Run) -> None:
    done = python("import runpy, sys; sys.argv = ['askwell', 'nothing']; runpy.run_module('askwell.cli')")
    assert (done.code, done.err) == (2, "error: No such command 'nothing'.\n")


def test_what_a_screen_cannot_show_is_replaced(python: Run) -> None:
    done = python(
        "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='ascii'); "
        "from askwell.cli.output import say; say('a ● b')"
    )
    assert (done.code, done.out) == (0, "a ? b\n")
