"""The program `askwell`: its commands, and what becomes of errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from askwell import __version__
from askwell.cli.ask import ask
from askwell.cli.command import Settings, command
from askwell.cli.config import NAME, defaults
from askwell.cli.create import create
from askwell.cli.doctor import doctor
from askwell.cli.edit import EDITS
from askwell.cli.export import export
from askwell.cli.list import list_parts
from askwell.cli.output import Answer, as_json
from askwell.cli.predict import predict
from askwell.cli.run import run
from askwell.cli.select import select
from askwell.cli.show import show
from askwell.cli.status import status
from askwell.cli.tell import tell
from askwell.cli.train import train
from askwell.cli.train_policy import train_policy
from askwell.errors import AskwellError, ProjectError

__all__ = ["app", "main"]

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
COMMANDS: Mapping[str, Callable[..., Answer]] = {
    "run": run, "select": select, "create": create, "ask": ask, "tell": tell, "train": train, "predict": predict,
    "train-policy": train_policy, "export": export, "status": status, "list": list_parts,
    "show": show, "doctor": doctor,
}  # fmt: skip


def _group(name: str, commands: Mapping[str, Callable[..., Answer]]) -> typer.Typer:
    group = typer.Typer(name=name, add_completion=False, rich_markup_mode=None)
    for name, answer in commands.items():
        group.command(name)(command(answer))
    return group


app = _group("askwell", COMMANDS)
edits = _group("edit", EDITS)
app.add_typer(edits, name="edit")


@edits.callback(invoke_without_command=True)
def edit(context: typer.Context) -> None:
    """Change the items or the classes of a project.

    All labels and their history are kept.
    """
    if context.invoked_subcommand is None:
        _show_help(context)


@app.callback(invoke_without_command=True, epilog=EPILOG)
def every(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="A file of settings; askwell.toml of this folder, if there is one.")
    ] = None,
) -> None:
    """Deep active learning: asks for the labels that are worth asking for."""
    settings: Settings = context.obj
    settings.debug = debug
    settings.config = config or (Path(NAME) if Path(NAME).is_file() else None)
    if settings.config is not None:
        context.default_map = defaults(settings.config, app)
    if version:
        typer.echo(f"askwell {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        _show_help(context)


def _show_help(context: typer.Context) -> None:
    typer.echo(context.get_help())
    raise typer.Exit


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; an error is one line on standard error, with --json as JSON.

    Parts named "module:Class" are looked for in the current folder too.

    >>> main(["--version"])
    askwell ...
    0
    """
    given = sys.argv[1:] if args is None else list(args)
    settings = Settings(json="--json" in given)
    sys.path.append(str(Path.cwd()))
    try:
        return int(get_command(app)(given, prog_name="askwell", standalone_mode=False, obj=settings) or 0)
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        text, code = sentence(error), exit_code(error)
        print(as_json({"error": text, "exit_code": code}) if settings.json else f"error: {text}", file=sys.stderr)
        return code


def exit_code(error: Exception) -> int:
    """What the program returns: the error's own code; 5 where the disk refuses, 1 for what nobody foresaw."""
    if isinstance(error, OSError) and not isinstance(error, AskwellError):
        return ProjectError.exit_code
    return int(getattr(error, "exit_code", AskwellError.exit_code))


def sentence(error: Exception) -> str:
    """An error as one line."""
    if isinstance(error, typer.TyperException):
        text = error.format_message().replace("Value error, ", "")
    elif isinstance(error, AskwellError | OSError):
        text = str(error)
    else:
        text = f"unexpected {type(error).__name__}: {error} (askwell --debug … shows where)"
    return " ".join(text.split())
