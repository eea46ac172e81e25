"""TypiClust: typical items of uncovered clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import FEATURES, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.cluster import kmeans, typicality
from askwell.functional.pick import top
from askwell.functional.steps import steps

__all__ = ["Typiclust"]


@dataclass(frozen=True)
class Typiclust(Strategy):
    """Asks for the most typical item of each cluster that has no label yet: for very few labels.

    neighbours    typicality is 1 / mean distance to this many nearest items left in the cluster, at most half of them
    max_clusters  there are min(M + Q, this) clusters, over candidates and labelled items together
    small         clusters of at most this many items wait until the others are used up

    Features (N, D) and, of the labelled items, (M, D), scaled to length one. Pick t goes to cluster t, counted round
    and round: those with the fewest labels come first, the largest first among them; a used-up one is passed over. The
    score of a pick is its typicality. O((N + M)·D·(M + Q)) per iteration of k-means, O(n²·D) in a cluster of n.

    Hacohen, Dekel and Weinshall 2022, arXiv 2202.02794.

    >>> import torch
    >>> z = torch.tensor([[1., .1], [1., .0], [1., -.1], [-.1, 1.], [.0, 1.], [.1, 1.]])
    >>> needs = Typiclust().needs
    >>> view = View(torch.arange(6), needs, lambda *_: {needs[0]: z, needs[1]: z[:0]})
    >>> sorted(Typiclust(neighbours=2, small=0).select(view, 6, torch.Generator().manual_seed(0)).ids.tolist())
    [0, 1, 2, 3, 4, 5]
    """

    cost: ClassVar[str] = "O((N + M)·D·(M + Q)) per iteration of k-means"

    neighbours: int = 20
    max_clusters: int = 500
    small: int = 5

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES, FEATURES.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        features = torch.cat([view[need] for need in self.needs]).float()
        features /= features.norm(dim=1, keepdim=True).clamp_(min=torch.finfo(torch.float32).tiny)
        labelled = len(features) - len(view)
        cluster, _ = kmeans(features, min(labelled + n, self.max_clusters), rng)
        left = _split(cluster[: len(view)], int(cluster.max()) + 1)
        rows, scores = [], []
        served = self._served(cluster, labelled, [len(members) for members in left], n)
        for c in (served[place] for place in steps(n)):
            row, score = self._most_typical(features, left[c], rng)
            left[c] = left[c][left[c] != row]
            rows.append(row)
            scores.append(score)
        return view.pick(torch.stack(rows), torch.stack(scores))

    def _served(self, cluster: Tensor, labelled: int, left: Sequence[int], n: int) -> list[int]:
        """The cluster that each of n picks is made from."""
        size = cluster.bincount(minlength=len(left)).tolist()
        covered = cluster[len(cluster) - labelled :].bincount(minlength=len(left)).tolist()
        order = sorted(range(len(left)), key=lambda c: (covered[c], -size[c]))
        served = _turns([c for c in order if size[c] > self.small], left, n)
        return served + _turns([c for c in order if size[c] <= self.small], left, n - len(served))

    def _most_typical(self, features: Tensor, members: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        scores = typicality(features[members], max(1, min(self.neighbours, len(members) // 2)))
        best = top(scores, 1, rng)[0]
        return members[best], scores[best]


def _split(cluster: Tensor, count: int) -> list[Tensor]:
    """The rows of each cluster, in order."""
    rows = cluster.argsort(stable=True)
    return list(torch.split(rows, cluster.bincount(minlength=count).tolist()))


def _turns(order: Sequence[int], left: Sequence[int], n: int) -> list[int]:
    """Cluster t for pick t, counted round and round, or the next one with rows left; ends when all are used up."""
    remaining = {c: left[c] for c in order}
    served: list[int] = []
    for t in range(min(n, sum(remaining.values()))):
        ahead = (order[(t + step) % len(order)] for step in range(len(order)))
        served.append(next(c for c in ahead if remaining[c] > 0))
        remaining[served[-1]] -= 1
    return served
