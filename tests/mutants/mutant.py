"""A known-bad part: what is wrong with it, where that was seen, and the check that must catch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from askwell.core.registry import snake


@dataclass(frozen=True)
class Mutant:
    """`caught_by` must fail; every other check of its kind must pass.

    twin     the part whose golden picks it is held to
    context  what its checks take beside the part
    """

    part: Any
    source: str
    caught_by: str
    twin: str = ""
    name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return snake(self.name or type(self.part).__name__)
