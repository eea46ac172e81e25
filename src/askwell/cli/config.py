"""askwell.toml: options that the commands of a folder have unless they are given.

    device = "cuda"              # for every command that has the option

    [run]                        # for one command
    strategy = "badge"
    pool-size = 10_000

The command line comes first, then the command's own table, then the top of the file.
"""

from __future__ import annotations

import inspect
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.models import OptionInfo

from askwell.core.fits import fits
from askwell.errors import BadData, InputError, UnknownName

__all__ = ["NAME", "defaults"]

NAME = "askwell.toml"
Words = tuple[str, ...]
"""A command, such as ("edit", "add")."""
Options = Mapping[str, Any]
"""Option -> its declaration, or its value."""
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


def defaults(path: Path, app: typer.Typer) -> dict[str, Any]:
    """Command -> option -> value, as the file says; the commands of a group are one level deeper.

    Raises `BadData` for a file that cannot be read, `UnknownName` for a table or an option that there is not, and
    `InputError` for a value of another type.
    """
    commands = {words: _options(callback) for words, callback in _commands(app)}
    tables = dict(_tables((), _read(path)))
    shared = _shared(commands.values())
    _check_top(path, tables[()], shared, commands)
    top = _checked(f"the top of {path}", tables.pop(()), shared)
    for words in tables:
        if words not in commands:
            raise UnknownName(f"table of {path}:", ".".join(words), map(".".join, commands))
    found: dict[str, Any] = {}
    for words, options in commands.items():
        own = _checked(f"[{'.'.join(words)}] of {path}", tables.get(words, {}), options)
        level = found
        for word in words[:-1]:
            level = level.setdefault(word, {})
        level[words[-1]] = {name: value for name, value in {**top, **own}.items() if name in options}
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadData(f"there is no file {path}", got=str(path)) from None
    except (OSError, ValueError) as error:
        raise BadData(f"{path} cannot be read: {error}", got=str(path)) from None


def _tables(words: Words, table: Mapping[str, Any]) -> Iterator[tuple[Words, dict[str, Any]]]:
    """Each table with what stands in it; one that only holds other tables is none, save the file itself."""
    own = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if own or not words or not table:
        yield words, own
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _tables((*words, name), value)


def _commands(app: typer.Typer, above: Words = ()) -> Iterator[tuple[Words, Callable[..., Any]]]:
    for one in app.registered_commands:
        if one.name and one.callback:
            yield (*above, one.name), one.callback
    for group in app.registered_groups:
        if isinstance(group.name, str) and group.typer_instance:
            yield from _commands(group.typer_instance, (*above, group.name))


def _options(callback: Callable[..., Any]) -> Options:
    """The options of one command; its arguments are no settings."""
    taken = inspect.signature(callback, eval_str=True).parameters.values()
    return {
        one.name: one.annotation
        for one in taken
        if get_origin(one.annotation) is Annotated and isinstance(one.annotation.__metadata__[0], OptionInfo)
    }


def _shared(commands: Iterator[Options] | Any) -> Options:
    """Options that mean the same in several commands: those that they take from one declaration."""
    declared = [(name, hint) for options in commands for name, hint in options.items()]
    kinds = Counter(name for name, _ in {(name, id(hint)) for name, hint in declared})
    times = Counter(name for name, _ in declared)
    return {name: hint for name, hint in declared if times[name] > 1 and kinds[name] == 1}


def _check_top(path: Path, given: Options, shared: Options, commands: Mapping[Words, Options]) -> None:
    """Refuses an option of one command, or of several that mean different things by it, before the tables."""
    for key in given:
        name = key.replace("-", "_")
        owners = [".".join(words) for words, options in commands.items() if name in options]
        if owners and name not in shared:
            raise InputError(
                f"{key} at the top of {path} belongs below the name of a command: [{'], ['.join(owners)}]", got=key
            )


def _checked(where: str, given: Options, options: Options) -> dict[str, Any]:
    """What was given under the names of the parameters."""
    found = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in options:
            raise UnknownName(f"option at {where}:", key, (known.replace("_", "-") for known in options))
        found[name] = _value(f"{key} at {where}", value, get_args(options[name])[0])
    return found


def _value(what: str, value: Any, hint: Any) -> Any:
    """A value as the command line would give it."""
    kinds = [kind for kind in (get_args(hint) if NoneType in get_args(hint) else (hint,)) if kind is not NoneType]
    for kind in kinds:
        several = [value] if isinstance(value, str) else value
        if get_origin(kind) is list and isinstance(several, list) and all(isinstance(one, str) for one in several):
            return several
        if get_origin(kind) is not list and fits(value, str if kind is Path else kind):
            return value
    raise InputError(f"{what} must be {' or '.join(map(_words, kinds))}, got {value!r}", got=value)


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return "a text or a list of texts" if get_origin(kind) is list else KINDS.get(kind, str(kind))
