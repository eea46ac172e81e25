"""A few rows that stand for many: the one nearest to the centre of each cluster."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from askwell.functional.cluster import kmeans
from askwell.functional.pick import filled, uniform
from askwell.functional.tiles import tiles

__all__ = ["innermost", "middles", "representatives"]

FEW_ROWS = 20_000
FEW_CLUSTERS, MANY_CLUSTERS = 50, 1000
ABOVE_ZERO = 1e-12


def representatives(rows: Tensor, n: int, rng: Generator, weights: Tensor | None = None) -> Tensor:
    """At most n distinct rows, (m,) int64: k-means with n centres, and the row of each cluster nearest to its centre.

    rows     (N, D) floating; of fewer than n different rows some clusters are empty, and m < n
    weights  (N,) above 0: what a row counts in the clustering; 1 when None

    Equally near rows at random. O(N·D·n) per iteration; in mini-batches above 1000 clusters, or above 50 of more than
    20,000 rows.

    >>> line = torch.tensor([[0.], [1.], [10.], [11.], [12.]])
    >>> sorted(representatives(line, 2, torch.Generator().manual_seed(0), torch.tensor([1., 3., 1., 1., 1.])).tolist())
    [1, 3]
    """
    exact_up_to = MANY_CLUSTERS if len(rows) <= FEW_ROWS else FEW_CLUSTERS
    cluster, centroids = kmeans(rows, n, rng, weights, exact_up_to)
    return innermost(rows, cluster, centroids, uniform(len(rows), rng))


def middles(rows: Tensor, scores: Tensor, n: int, rng: Generator, weighted: bool = True) -> Tensor:
    """n rows, (n,) int64: the middle of each of n clusters, and where clusters are empty the best of the others.

    rows    (N, D) floating
    scores  (N,): the higher, the more a row counts in the clustering, where it is `weighted`. Where some are below 0
            they count from the lowest on

    O(N·D·n) per iteration. With the margin it is Zhdanov 2019, arXiv 1901.05954.

    >>> line = torch.tensor([[0.], [1.], [10.], [11.], [12.]])
    >>> sorted(middles(line, torch.tensor([.1, .9, .1, .1, .1]), 2, torch.Generator().manual_seed(0)).tolist())
    [1, 3]
    """
    weights = scores - scores.min().clamp(max=0) + ABOVE_ZERO if weighted else None
    return filled(representatives(rows, n, rng, weights), n, scores, rng)


def innermost(rows: Tensor, cluster: Tensor, centroids: Tensor, key: Tensor) -> Tensor:
    """The row of each cluster nearest to its centroid, (m,) int64 by cluster; empty clusters have none.

    rows (N, D), cluster (N,) int64, centroids (k, D); key (N,): of equally near rows the lower key. O(N·(D + log N)).

    >>> line = torch.tensor([[0.], [1.], [10.], [11.]])
    >>> innermost(line, torch.tensor([0, 0, 1, 1]), torch.tensor([[.75], [10.5]]), torch.arange(4))
    tensor([1, 2])
    """
    distance = torch.empty(len(rows), dtype=centroids.dtype, device=rows.device)
    for where in tiles(len(rows), rows.shape[1], rows.device):
        distance[where] = (rows[where].to(centroids) - centroids[cluster[where]]).square_().sum(1)
    order = key.to(rows.device).argsort(stable=True)
    order = order[distance[order].argsort(stable=True)]
    order = order[cluster[order].argsort(stable=True)]
    sizes = cluster.bincount()
    sizes = sizes[sizes > 0]
    return order[sizes.cumsum(0) - sizes]
