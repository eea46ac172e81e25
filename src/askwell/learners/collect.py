"""Rows of needs, computed piece by piece into tensors that are allocated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from askwell.core.learner import Allocate
from askwell.core.needs import Need
from askwell.training.modes import pieces

__all__ = ["collect", "memory"]


def collect(
    ids: Tensor, size: int, rows: Callable[[Tensor], Mapping[Need, Tensor]], out: Allocate | None = None
) -> dict[Need, Tensor]:
    """Tensors (n, …) in the order of ids (n,), from `rows` of at most `size` + 1 ids at a time, never of one.

    >>> doubled = Need("doubled")
    >>> collect(torch.arange(5), 2, lambda ids: {doubled: 2 * ids})[doubled]
    tensor([0, 2, 4, 6, 8])
    """
    found: dict[Need, Tensor] = {}
    for where in pieces(len(ids), size) if len(ids) else [slice(0, 0)]:
        for need, value in rows(ids[where]).items():
            if need not in found:
                found[need] = (out or memory)(need, (len(ids), *value.shape[1:]), value.dtype)
            found[need][where] = value
    return found


def memory(need: Need, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Rows in main memory."""
    return torch.empty(shape, dtype=dtype)
