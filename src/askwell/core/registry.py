"""Finding parts by name: our own, those that other packages announce, and `module:Class`.

A room is a package of askwell (`strategies`, `schemes`, `learners`, `tasks`, `oracles`, `models`, `recipes`,
`managers`). Its parts are what its `__all__` lists, and what entry points in the group `askwell.<room>` name. Nothing
registers itself by being imported.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from askwell.errors import DuplicateName, InputError, UnknownName

__all__ = ["Broken", "catalogue", "find", "home", "knows", "name_of", "room_of", "snake"]

SINGULAR = {
    "strategies": "strategy", "schemes": "scheme", "learners": "learner", "tasks": "task",
    "oracles": "oracle", "models": "model", "recipes": "recipe", "managers": "budget manager",
}  # fmt: skip


def snake(name: str) -> str:
    """The permanent name of a class or function.

    >>> snake("LeastConfidence"), snake("BALD"), snake("BatchBALD"), snake("SmallCNN")
    ('least_confidence', 'bald', 'batch_bald', 'small_cnn')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@cache
def catalogue(kind: str) -> dict[str, Any]:
    """name -> part of one room; two parts of one name raise `DuplicateName`."""
    room = importlib.import_module(f"askwell.{kind}")
    found: dict[str, Any] = {}
    for name in room.__all__:
        _add(kind, found, snake(name), getattr(room, name))
    for point in entry_points(group=f"askwell.{kind}"):
        _add(kind, found, point.name, _loaded(point))
    return found


@dataclass(frozen=True)
class Broken:
    """A part of another package that cannot be imported; using it says why."""

    address: str
    why: str


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        return Broken(point.value, f"{type(error).__name__}: {error}")


def _add(kind: str, found: dict[str, Any], name: str, part: Any) -> None:
    if name in found and found[name] is not part:
        raise DuplicateName(f"two {kind} are called {name!r}: {found[name]!r} and {part!r}", got=name)
    found[name] = part


def find(kind: str, name: str) -> Any:
    """A class or function by name, by class name or by `module:Class`; an unknown name offers the nearest.

    >>> find("strategies", "margin").__name__
    'Margin'
    """
    if ":" in name:
        return _outside(kind, name)
    known = catalogue(kind)
    for candidate in (name, snake(name)):
        if isinstance(known.get(candidate), Broken):
            broken = known[candidate]
            raise InputError(f"{SINGULAR[kind]} {name!r} is {broken.address}, which fails: {broken.why}", got=name)
        if candidate in known:
            return known[candidate]
    raise UnknownName(SINGULAR.get(kind, kind), name, known)


def _outside(kind: str, name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        raise InputError(f"{SINGULAR.get(kind, kind)} {name!r}: there is no module {module!r}", got=name) from None
    except AttributeError:
        known = [name for name in dir(importlib.import_module(module)) if not name.startswith("_")]
        raise UnknownName(f"{SINGULAR.get(kind, kind)} in {module!r}:", attribute, known) from None


def home(kind: str, name: str) -> str:
    """The room where a name is known: `kind` first, then the others, so that `net(model=mlp)` can be read.

    >>> home("learners", "mlp"), home("learners", "net")
    ('models', 'learners')
    """
    rooms = [kind, *(room for room in SINGULAR if room != kind)]
    return next((room for room in rooms if knows(room, name)), kind)


def knows(kind: str, name: str) -> bool:
    """Whether a room has a part of this name."""
    return name in catalogue(kind) or snake(name) in catalogue(kind)


def room_of(cls: type) -> str:
    """The room of one of our own parts; empty for other people's."""
    package = cls.__module__.split(".")
    return package[1] if package[0] == "askwell" and len(package) > 1 and package[1] in SINGULAR else ""


def name_of(cls: type) -> str:
    """The name by which `find` returns this class: short where the catalogue knows it, else `module:Class`."""
    if room_of(cls):
        return snake(cls.__name__)
    for kind in SINGULAR:
        for name, part in (catalogue(kind) if kind in _imported() else {}).items():
            if part is cls:
                return name
    return f"{cls.__module__}:{cls.__qualname__}"


def _imported() -> set[str]:
    import sys

    return {kind for kind in SINGULAR if f"askwell.{kind}" in sys.modules}
