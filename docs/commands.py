"""Writes docs/commands.md from the help pages: `make docs`. A test compares the two."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from askwell.cli import main

COMMANDS = ("run", "select", "list", "show", "status", "export", "doctor")
HEAD = """# The command line

Written from the help pages by `make docs`. Every command does what a function or a method of the library does:

| command | library |
|---|---|
| `askwell run` | [`askwell.run`](projects.md#run) |
| `askwell select` | [`askwell.select`](strategies.md#without-a-loop) |
| `askwell status`, `askwell export` | [`Project.status`, `Project.export`](projects.md) |
| `askwell list`, `askwell show` | the docstrings and fields of the parts |
| `askwell doctor` | what is installed, and where things are kept |

A message to a person is one line on standard error that begins with `error: `; the exit code says what kind of error
it was. `askwell --debug COMMAND` also shows where it came from. Progress goes to standard error, results to standard
output.
"""


def help_page(*command: str) -> str:
    """What `askwell COMMAND --help` prints in a terminal of 80 columns."""
    os.environ["COLUMNS"] = "80"
    text = StringIO()
    with redirect_stdout(text):
        main([*command, "--help"])
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def page() -> str:
    """The whole page."""
    titles = [("askwell", ()), *((f"askwell {command}", (command,)) for command in COMMANDS)]
    return HEAD + "".join(f"\n## {title}\n\n```\n{help_page(*command)}\n```\n" for title, command in titles)


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(page(), encoding="utf-8")
