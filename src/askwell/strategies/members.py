"""What strategies share that hold several strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import Generator, Tensor

from askwell.core.needs import Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError

__all__ = ["check_members", "favourites", "needs_of", "rows_of"]


def check_members(name: str, strategies: Sequence[Strategy]) -> None:
    """Refuses fewer than two strategies, and those that ask again, make items, or may pick fewer than asked for."""
    if len(strategies) < 2 or not all(isinstance(one, Strategy) for one in strategies):
        raise InputError(f"{name} chooses among two or more strategies, got {strategies!r}", got=strategies)
    for one in strategies:
        if one.asks != "unlabelled" or one.partial:
            raise InputError(
                f"{name} chooses among strategies that ask each item once and as many as are wanted, not {one.name}",
                got=one,
            )


def needs_of(strategies: Sequence[Strategy], *own: Need) -> tuple[Need, ...]:
    """The needs of all strategies, and those of one's own, each once."""
    return tuple(dict.fromkeys([*own, *(need for one in strategies for need in one.needs)]))


def favourites(strategy: Strategy, view: View, n: int, rng: Generator, memory: Mapping[str, Any] | None) -> Batch:
    """What one strategy would ask; `memory` is the state that it left the last time."""
    own = copy(view)
    own.state = dict(memory or {})
    return strategy.select(own, n, rng)


def rows_of(ids: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """Places (m,) in `among`, ascending, of those ids (n,) that are in it, and which those are, (n,) bool.

    >>> rows_of(torch.tensor([5, 9, 2]), torch.tensor([2, 5, 7]))
    (tensor([1, 0]), tensor([ True, False,  True]))
    """
    places = torch.searchsorted(among, ids)
    there = places < len(among)
    there[there.clone()] = among[places[there]] == ids[there]
    return places[there], there
