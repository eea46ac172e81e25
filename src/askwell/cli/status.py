"""`askwell status`: where a project stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from askwell.cli.options import Project
from askwell.cli.output import TIED, Answer, table

__all__ = ["plain", "standing", "status"]

SHOWN = 12
"""Characters of a hash, enough to tell models apart."""


def status(project: Project) -> Answer:
    """Show where a project stands.

    Items by state, rounds, cost, and how good its model is.
    """
    from askwell.engine.status import status as find_out

    return standing(find_out(project))


def standing(found: Mapping[str, Any]) -> Answer:
    """Where a project stands, in words."""
    items = ", ".join(f"{count}{TIED}{state}" for state, count in found["items"].items() if count)
    shown = {**found, "items": items, "model": found["model"][:SHOWN]}
    text = table([(name.replace("_", " "), plain(value)) for name, value in shown.items()])
    return Answer(found, text, str(found["path"]))


def plain(value: Any) -> str:
    """A value as people write it; lines of a `table` are not broken between a name and its value.

    >>> plain({"accuracy": 0.91, "labels": 40}), plain([])
    ('accuracy\\xa00.91, labels\\xa040', 'none')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key}{TIED}{plain(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value) or "none"
