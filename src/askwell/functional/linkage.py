"""Average-linkage clustering of many rows: exact within random blocks, so never N × N."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from askwell.functional.pick import uniform

__all__ = ["agglomerate"]


def agglomerate(rows: Tensor, rng: Generator, *, block: int, least: int, threshold: float | None = None) -> Tensor:
    """Cluster of each row, (N,) int64: clusters are merged, the nearest two first, while those are near enough.

    rows       (N, D) floating; two clusters are as far apart as their rows are on average, by Euclidean distance
    block      at most this many rows of a random block are clustered together; clusters of two blocks never merge
    least      with no threshold: the largest distance that leaves at least this many clusters, over all blocks
    threshold  merge up to this distance

    O(N·block·(D + 1)) time, O(block²) memory, by scipy, on the CPU.

    Sokal and Michener 1958, "A statistical method for evaluating systematic relationships".

    >>> line = torch.tensor([[0.], [1.], [5.], [6.], [20.]])
    >>> agglomerate(line, torch.Generator().manual_seed(0), block=5, least=2).unique(return_counts=True)[1].tolist()
    [4, 1]
    """
    order = uniform(len(rows), rng).argsort()
    blocks = order.tensor_split(-(-len(rows) // block))
    trees = [_tree(rows[some.to(rows.device)]) for some in blocks]
    if threshold is None:
        threshold = _cut(np.concatenate([tree[:, 2] for tree in trees]), len(rows) - least)
    cluster, count = torch.empty(len(rows), dtype=torch.int64), 0
    for some, tree in zip(blocks, trees, strict=True):
        cluster[some] = count + torch.from_numpy(_leaves(tree, threshold))
        count = int(cluster[some].max()) + 1
    return cluster.to(rows.device)


def _tree(rows: Tensor) -> NDArray[np.float64]:
    """(n − 1, 4) merges, lowest first, as scipy writes them."""
    from scipy.cluster.hierarchy import linkage

    if len(rows) == 1:
        return np.empty((0, 4))
    tree: NDArray[np.float64] = linkage(rows.cpu().double().numpy(), "average")
    return tree


def _cut(heights: NDArray[np.float64], merges: int) -> float:
    """The largest height with at most that many merges at or below it."""
    if merges >= len(heights):
        return float("inf")
    return float(np.nextafter(np.partition(heights, merges)[merges], -np.inf)) if merges > 0 else -1.0


def _leaves(tree: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """(n,) cluster of each row, counted from 0."""
    from scipy.cluster.hierarchy import fcluster

    if not len(tree):
        return np.zeros(1, np.int64)
    found: NDArray[np.int64] = fcluster(tree, threshold, "distance").astype(np.int64) - 1
    return found
