"""Parts as text and JSON: `margin`, `subsample(size=1000) | margin`, `mine.py_module:MyStrategy`.

A part is a frozen dataclass. Its name, its `repr` and its JSON say the same thing and lead back to an equal part.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args

from askwell.core.fits import declared, fits
from askwell.core.registry import catalogue, find, home, knows, name_of, room_of
from askwell.errors import InputError, UnknownName

__all__ = ["build", "config", "digest", "parse"]

RESERVED = ("part", "room")
BASES = {
    "strategies": "askwell.core.strategy:Strategy",
    "managers": "askwell.core.budget:Manager",
    "schemes": "askwell.core.scheme:Scheme",
    "tasks": "askwell.core.task:Task",
}
WORDY = re.compile(r"(?:typing|askwell)\.(?:\w+\.)*")
"""Where a declared type comes from."""
ADDRESS = re.compile(r"(?<![\w'\".])[A-Za-z_][\w.]*:[A-Za-z_]\w*")
COLON, DOT = "__colon__", "__dot__"


def config(part: Any) -> Any:
    """A part as JSON: {"part": name, "room": …, field: value, …}; plain values stay, but that −0 becomes 0."""
    if is_dataclass(part) and not isinstance(part, type):
        values = {field.name: config(getattr(part, field.name)) for field in fields(part)}
        room = room_of(type(part))
        return {"part": name_of(type(part)), **({"room": room} if room else {}), **values}
    if isinstance(part, Mapping):
        return {str(key): config(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [config(value) for value in part]
    return part + 0.0 if isinstance(part, float) else part


def build(kind: str, spec: Any) -> Any:
    """The part that `config` wrote; `kind` is the room, such as "strategies", of parts that do not name theirs."""
    if isinstance(spec, list):
        return tuple(build(kind, value) for value in spec)
    if not isinstance(spec, Mapping):
        return spec
    if "part" not in spec:
        return {key: build(kind, value) for key, value in spec.items()}
    room = spec.get("room", kind)
    values = {key: build(_inner(room, value), value) for key, value in spec.items() if key not in RESERVED}
    return make(room, spec["part"], values)


def _inner(kind: str, spec: Any) -> str:
    """The room of a value that stands inside a part of `kind`."""
    foreign = isinstance(spec, Mapping) and ":" in spec.get("part", "")
    return _room(kind, spec["part"]) if foreign else kind


def make(kind: str, name: str, values: Mapping[str, Any]) -> Any:
    """A part by name and fields; an unknown field is refused with the nearest one."""
    cls = find(kind, name)
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise InputError(f"{name!r} is no part: write it as a frozen dataclass", got=cls)
    _check_kind(kind, name, cls)
    known = [field.name for field in fields(cls)]
    for key in values:
        if key not in known:
            raise UnknownName(f"setting of {kind} {name!r}:", key, known)
    for field in fields(cls):
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
            maker = field.metadata.get("made by", "").format(name=name)
            made = f"; `{maker}` makes one" if maker else ""
            raise InputError(f"{name} needs {field.name}: write {name}({field.name}=…){made}", got=name)
    _check_types(kind, name, cls, values)
    return cls(**values)


def _check_kind(kind: str, name: str, cls: type) -> None:
    module, _, base = BASES.get(kind, "").partition(":")
    if module and not issubclass(cls, getattr(importlib.import_module(module), base)):
        raise InputError(f"{name!r} is no part of {kind}: it does not build on {base} of {module}", got=cls)


def _room(kind: str, name: str) -> str:
    """The room of a part inside one of `kind`: where its name is known, or whose base a `module:Class` builds on."""
    return _built_on(kind, find(kind, name)) if ":" in name else home(kind, name)


def _built_on(kind: str, cls: Any) -> str:
    """The room whose base a class builds on; nothing is imported to find out."""
    bases = [f"{one.__module__}:{one.__qualname__}" for one in cls.__mro__] if isinstance(cls, type) else []
    return next((room for room, base in BASES.items() if base in bases), kind)


def _check_types(kind: str, name: str, cls: type, values: Mapping[str, Any]) -> None:
    hints = declared(cls)
    for key, value in values.items():
        hint = hints.get(key, Any)
        if not fits(value, hint):
            options = get_args(hint) or (hint,)
            if isinstance(value, str) and any(map(_is_part, options)):
                raise UnknownName(f"value of {key} in {name!r}:", value, catalogue(_built_on(kind, options[0])))
            wanted = hint.__name__ if isinstance(hint, type) else WORDY.sub("", str(hint))
            raise InputError(f"{key} of {name!r} must be {wanted}, got {value!r}", got=value)


def _is_part(hint: Any) -> bool:
    """Whether parts are declared, by their class or by a base of theirs."""
    return is_dataclass(hint) or hasattr(hint, "__abstractmethods__")


def parse(kind: str, text: str) -> Any:
    """A part from text: a name, `name(key=value, …)` with parts as values, or `module:Class(…)`.

    Strategies may be joined by `|`, see `core.stage`. A bare word is a text where the setting is declared as one, or
    where it names no part: `supervised(policy=warm)`. The repr of a part of the catalogue is such a text.

    >>> parse("strategies", "subsample(size=1000) | margin | power(beta=2)")
    Subsample(size=1000) | Margin() | Power(beta=2)
    >>> parse("strategies", "subsample(strategy=margin, size=1000)")
    Subsample(size=1000) | Margin()
    """
    joined = _joined(text) if kind == "strategies" else [text]
    if len(joined) > 1:
        from askwell.core.stage import compose

        return compose(*(parse(kind, one) for one in joined))
    head, bracket, inner = text.strip().partition("(")
    inner = ADDRESS.sub(lambda found: found.group().replace(".", DOT).replace(":", COLON), inner)
    source = f"{head.partition(':')[2] or head}({inner}" if bracket else f"{head.partition(':')[2] or head}()"
    try:
        call = ast.parse(source, mode="eval").body
    except SyntaxError:
        raise InputError(f"cannot read {text!r}: write name or name(key=value, …)", got=text) from None
    if not isinstance(call, ast.Call) or call.args:
        raise InputError(f"cannot read {text!r}: write name or name(key=value, …)", got=text)
    hints = _hints(kind, head.strip())
    values = {word.arg: _value(kind, word.value, hints.get(word.arg, Any)) for word in call.keywords if word.arg}
    return make(kind, head.strip(), values)


def _joined(text: str) -> list[str]:
    """The texts between those `|` that stand in no bracket and no quotation.

    >>> _joined("subsample(size=5) | f(a='|', b=(c | d)) | top")
    ['subsample(size=5) ', " f(a='|', b=(c | d)) ", ' top']
    """
    found = [""]
    depth, quote = 0, ""
    for sign in text:
        quote = ("" if sign == quote else quote) if quote else sign if sign in "'\"" else ""
        depth += 0 if quote else (sign in "([") - (sign in ")]")
        if sign == "|" and not depth and not quote:
            found.append("")
        else:
            found[-1] += sign
    return found


def _hints(kind: str, name: str) -> Mapping[str, Any]:
    """Declared types of a part's settings."""
    cls = find(kind, name)
    return declared(cls) if isinstance(cls, type) else {}


def _value(kind: str, node: ast.expr, hint: Any = Any) -> Any:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return parse("strategies", _plain(ast.unparse(node)))
    if isinstance(node, ast.Call):
        text = _plain(ast.unparse(node))
        return parse(_room(kind, text.partition("(")[0]), text)
    if isinstance(node, ast.Name):
        word = _plain(node.id)
        return word if hint is not Any and fits(word, hint) else _named(kind, word)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(kind, item) for item in node.elts)
    try:
        value = ast.literal_eval(node)
        return _plain(value) if isinstance(value, str) else value
    except ValueError:
        raise InputError(f"cannot read the value {ast.unparse(node)!r}", got=ast.unparse(node)) from None


def _plain(text: str) -> str:
    """Text with its addresses as they were written."""
    return text.replace(COLON, ":").replace(DOT, ".")


def _named(kind: str, name: str) -> Any:
    """The part of this name; else the word itself, as is an address of something that is no part, such as a module."""
    room = _room(kind, name)
    known = is_dataclass(find(room, name)) if ":" in name else knows(room, name)
    return parse(room, name) if known else name


def digest(value: Any) -> str:
    """sha256 of a JSON value or part, the same in every process."""
    text = json.dumps(config(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
