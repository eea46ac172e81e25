"""Whether a value is of the type that a field declares."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["declared", "fits"]


def declared(cls: type) -> dict[str, Any]:
    """Types of a dataclass's fields; those whose names cannot be resolved are left out."""
    try:
        return get_type_hints(cls)
    except NameError:
        return {}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value may stand where `hint` is declared; what cannot be checked fits.

    >>> fits(3, float), fits("x", int | None), fits("mean", Literal["mean", "votes"]), fits((1, "a"), tuple[Any, ...])
    (True, False, True, True)
    """
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if hint in (None, NoneType):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    kind = origin or hint
    return not isinstance(kind, type) or isinstance(value, kind)
