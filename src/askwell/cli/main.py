"""The program `askwell`: its commands, and what becomes of errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from askwell import __version__
from askwell.cli.doctor import doctor
from askwell.cli.export import export
from askwell.cli.list import list_parts
from askwell.cli.run import run
from askwell.cli.select import select
from askwell.cli.show import show
from askwell.cli.status import status
from askwell.errors import AskwellError, NotWritable

__all__ = ["app", "main"]

UNWRITABLE = NotWritable.exit_code
EPILOG = """\b
Exit codes:
    0  done
    1  an unexpected error
    2  something given is wrong
    3  parts that do not fit together
    4  more items wanted than there are
    5  a project folder refuses
    6  training diverged
    7  an optional package is not installed
  130  interrupted
"""

app = typer.Typer(name="askwell", add_completion=False, rich_markup_mode=None)
app.command("run")(run)
app.command("select")(select)
app.command("list")(list_parts)
app.command("show")(show)
app.command("status")(status)
app.command("export")(export)
app.command("doctor")(doctor)


@dataclass
class Settings:
    """What holds for every command."""

    debug: bool = False


@app.callback(invoke_without_command=True, epilog=EPILOG)
def every(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """Deep active learning: asks for the labels that are worth asking for."""
    context.obj.debug = debug
    if version:
        typer.echo(f"askwell {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    if version or context.invoked_subcommand is None:
        raise typer.Exit


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; an error is one line on standard error.

    Parts named "module:Class" are looked for in the current folder too.

    >>> main(["--version"])
    askwell ...
    0
    """
    settings = Settings()
    sys.path.append(str(Path.cwd()))
    try:
        return int(get_command(app)(args, prog_name="askwell", standalone_mode=False, obj=settings) or 0)
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        print(f"error: {sentence(error)}", file=sys.stderr)
        return (
            5
            if isinstance(error, OSError) and not isinstance(error, AskwellError)
            else int(getattr(error, "exit_code", 1))
        )


def sentence(error: Exception) -> str:
    """An error as one line."""
    if isinstance(error, typer.TyperException):
        text = error.format_message()
    elif isinstance(error, AskwellError | OSError):
        text = str(error)
    else:
        text = f"unexpected {type(error).__name__}: {error} (askwell --debug … shows where)"
    return " ".join(text.split())
