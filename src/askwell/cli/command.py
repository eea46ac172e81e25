"""What all commands have in common: groups of options, --json and --quiet, and one place where they speak."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from askwell.cli.output import Answer, speak

__all__ = ["Settings", "command"]

Json = Annotated[bool, typer.Option(show_default=False, help="One JSON document on standard output, and nothing else.")]
Quiet = Annotated[
    bool, typer.Option(show_default=False, help="No progress; of the answer only the path or ids asked for.")
]


@dataclass
class Settings:
    """What holds whatever the command; `config` is the askwell.toml in use."""

    debug: bool = False
    json: bool = False
    quiet: bool = False
    config: Path | None = None


def command(answer: Callable[..., Answer]) -> Callable[..., None]:
    """The command that typer is to know for a function that gives an `Answer`.

    An argument that is a dataclass becomes one option per field; one that is `Settings` is filled in. The command also
    has --json and --quiet, and prints the answer as they say.
    """
    taken = inspect.signature(answer, eval_str=True).parameters
    groups = {name: one.annotation for name, one in taken.items() if _is_group(one.annotation)}

    def spoken(context: typer.Context, *, json: bool, quiet: bool, **given: Any) -> None:
        settings: Settings = context.obj
        settings.json, settings.quiet = json, quiet
        made = {name: settings if kind is Settings else _group(kind, given) for name, kind in groups.items()}
        speak(answer(**given, **made), json, quiet)

    parameters = [_parameter("context", typer.Context), *_options(taken), *_SPOKEN]
    described: Any = spoken
    described.__signature__ = inspect.Signature(parameters)
    described.__annotations__ = {one.name: one.annotation for one in parameters}
    described.__name__, described.__doc__ = answer.__name__, answer.__doc__
    return spoken


def _options(taken: Mapping[str, Parameter]) -> Iterator[Parameter]:
    """The parameters with those of a group in its place."""
    for name, one in taken.items():
        if one.annotation is Settings:
            continue
        if _is_group(one.annotation):
            yield from _fields(one.annotation)
        else:
            yield _parameter(name, one.annotation, one.default)


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


@cache
def _fields(kind: Any) -> tuple[Parameter, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_parameter(field.name, hints[field.name], field.default) for field in fields(kind))


def _group(kind: Any, given: dict[str, Any]) -> Any:
    """One group from what was given, where its fields are taken away."""
    return kind(**{one.name: given.pop(one.name) for one in _fields(kind)})


def _parameter(name: str, hint: Any, default: Any = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)


_SPOKEN = (_parameter("json", Json, False), _parameter("quiet", Quiet, False))
