"""Rows of needs, computed piece by piece into tensors that are allocated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from askwell.core.learner import Allocate
from askwell.core.needs import Need
from askwell.training.modes import pieces

__all__ = ["collect"]


def collect(
    ids: Tensor, size: int, rows: Callable[[Tensor], Mapping[Need, Tensor]], out: Allocate | None = None
) -> dict[Need, Tensor]:
    """Tensors (n, …) in the order of ids (n,), from `rows` of at most `size` + 1 ids at a time, never of one.

    Without ids, shapes and types come from the pool's first item.

    >>> doubled = Need("doubled")
    >>> collect(torch.arange(5), 2, lambda ids: {doubled: 2 * ids})[doubled]
    tensor([0, 2, 4, 6, 8])
    """
    place = out or _memory
    if not len(ids):
        first = rows(torch.zeros(1, dtype=torch.int64))
        return {need: place(need, (0, *value.shape[1:]), value.dtype) for need, value in first.items()}
    found: dict[Need, Tensor] = {}
    for where in pieces(len(ids), size):
        for need, value in rows(ids[where]).items():
            if need not in found:
                found[need] = place(need, (len(ids), *value.shape[1:]), value.dtype)
            found[need][where] = value
    return found


def _memory(need: Need, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype)
