"""New items that look like those of a pool which is there already: for predicting, and for adding to a project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from askwell.core.pool import Pool
from askwell.data.dataset import Split
from askwell.data.joined import original
from askwell.data.keyed import KeyedPool
from askwell.data.read import Found
from askwell.data.tables import TablePool
from askwell.errors import BadData, BadShape, InputError

__all__ = ["all_candidates", "check_alike", "columns_of", "made_like"]


def all_candidates(count: int, sizes: Mapping[str, Any]) -> Split:
    """The split of items that come to a pool: every one may be asked. Sizes of parts do not apply."""
    for name, value in sizes.items():
        if value is not None:
            raise InputError(f"{name!r} does not apply to items that are loaded `like` a pool: none are held out")
    none = np.empty(0, np.int64)
    return Split(np.arange(count), none, none)


def columns_of(pool: Pool) -> list[str] | None:
    """The columns of numbers that items like these have; None where they come from no table of numbers."""
    first = original(pool)
    return list(first.columns) if isinstance(first, TablePool) else None


def made_like(found: Found, pool: Pool, features: Any, cache: Path | None) -> Pool:
    """The pool of what was found, with everything that was fitted on the other one's candidates.

    Raises `BadData` for items of another kind, `BadShape` for another form, `UnknownName` for a column that is missing.
    """
    first = original(pool)
    if isinstance(first, KeyedPool):
        made = found.make(fit_on=None, features=features, cache=cache, like=first)
    else:
        made = found.make(fit_on=None, features=features, cache=cache)
    if made.form != first.form:
        raise BadShape(f"these items have the form {made.form}, those of the pool {first.form}", got=made.form)
    return made


def check_alike(pool: Pool, like: Pool) -> None:
    """Raises `BadData` for a pool that was made without regard to the other."""
    first = original(like)
    if isinstance(first, KeyedPool) and not (isinstance(pool, KeyedPool) and pool.is_like(first)):
        raise BadData("these items were loaded by themselves: load them again with like=<the pool that they join>")
