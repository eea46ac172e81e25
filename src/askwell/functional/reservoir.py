"""A uniform sample of all that a stream has brought, kept in a place of fixed size."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from askwell.functional.pick import uniform

__all__ = ["reservoir"]


def reservoir(ids: Tensor, size: int, rng: Generator) -> Tensor:
    """Rows of the items that a reservoir of this size holds once all of `ids` have gone by, ascending.

    ids  (n,) int64 positions, each once; an item's key depends on its position and the generator's seed alone, so an
         item that has left never comes back, and each is held with chance size/n
    returns (min(size, n),) int64. O(P + n log n) for positions up to P

    Vitter 1985, doi:10.1145/3147.3165, algorithm R by random keys: the smallest stay.

    >>> ids = torch.arange(6)
    >>> first = reservoir(ids[:4], 3, torch.Generator().manual_seed(0))
    >>> set(reservoir(ids, 3, torch.Generator().manual_seed(0)).tolist()) - set(first.tolist()) <= {4, 5}
    True
    """
    if not len(ids):
        return torch.empty(0, dtype=torch.int64)
    keys = uniform(int(ids.max()) + 1, rng).to(ids.device)[ids]
    return keys.argsort()[:size].sort().values
