"""Rows that are nearly the same as another one."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from askwell.functional.cluster import kmeans
from askwell.functional.kernels import unit
from askwell.functional.pick import uniform
from askwell.functional.tiles import tiles

__all__ = ["distinct_rows"]

TOGETHER = 1000


def distinct_rows(rows: Tensor, similarity: float, rng: Generator) -> Tensor:
    """Rows (k,) int64, ascending, of which no two in one cluster are alike: of near-duplicates a random one stays.

    rows        (N, D) floating; half precision is computed in float32
    similarity  rows are alike whose cosine is at least this. A row goes if it is like one before it in a random order,
                be that one kept or not

    Rows are compared within clusters of k-means, of about 1000 rows each, so that a pair on a border may both stay.
    O(N·D·(N/1000 + 1000)) time, memory O(N·D), and one tile of cosines.

    Abbas et al. 2023, "SemDeDup", arXiv 2303.09540.

    >>> rows = torch.tensor([[1., 0.], [2., .01], [0., 1.], [0., 3.]])
    >>> distinct_rows(rows, 0.99, torch.Generator().manual_seed(0))
    tensor([1, 3])
    """
    directions = unit(rows).rows
    cluster, _ = kmeans(directions, -(-len(rows) // TOGETHER), rng)
    order = uniform(len(rows), rng).argsort().to(cluster.device)
    order = order[cluster[order].argsort(stable=True)]
    clusters = torch.split(order, cluster.bincount().tolist())
    return torch.cat([members[_first_of_kind(directions[members], similarity)] for members in clusters]).sort().values


def _first_of_kind(directions: Tensor, similarity: float) -> Tensor:
    """(n,) whether no earlier row is alike."""
    fresh = torch.empty(len(directions), dtype=torch.bool, device=directions.device)
    for where in tiles(len(directions), max(1, len(directions)), directions.device):
        alike = directions[where] @ directions[: where.stop].t() >= similarity
        fresh[where] = ~alike.tril_(where.start - 1).any(1)
    return fresh
