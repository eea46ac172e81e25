"""Numbers as people and numpy give them."""

from __future__ import annotations

import operator
from typing import Any

from askwell.errors import InputError

__all__ = ["whole"]


def whole(name: str, value: Any) -> int:
    """A whole number, numpy's included; anything else is refused by name.

    >>> whole("n", True + 1)
    2
    """
    try:
        return operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be a whole number, got {value!r}", got=value) from None
