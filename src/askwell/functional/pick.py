"""Choosing rows by score: the best, a sample by perturbed score, a quota per class."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Generator, Tensor

from askwell.errors import BadShape, InputError, NotFinite, PoolExhausted, UnknownName

__all__ = [
    "Noise", "draw", "few_each_first", "filled", "gumbel", "one_each_first", "quota", "round_robin", "some", "top",
    "uniform",
]  # fmt: skip

Noise = Literal["power", "softmax", "softrank"]


def top(scores: Tensor, n: int, key: Tensor | Generator) -> Tensor:
    """Rows of the n largest scores, best first.

    scores  (N,) any floating type, on any device; infinities rank, NaN raises `NotFinite`
    key     (N,): of equal scores the lower key goes first; or a generator that draws keys for the rows that compete
    returns (n,) int64; 1 <= n <= N, else `PoolExhausted`

    O(N): one partition, and a sort of the rows that reach the n-th score.

    >>> top(torch.tensor([.2, .9, .9, .1]), 3, torch.tensor([0, 2, 1, 3]))
    tensor([2, 1, 0])
    """
    if scores.ndim != 1:
        raise BadShape(f"scores have shape {tuple(scores.shape)} instead of (N,)", got=tuple(scores.shape))
    if not 1 <= n <= len(scores):
        raise PoolExhausted(n, len(scores))
    rows = _competing(scores, n)
    keys = key[rows] if isinstance(key, Tensor) else uniform(len(rows), key).to(scores.device)
    rows = rows[keys.argsort(stable=True)]
    return rows[scores[rows].argsort(descending=True, stable=True)][:n]


def uniform(n: int, rng: Generator) -> Tensor:
    """(n,) float64 numbers in [0, 1), the same on every device that they are moved to."""
    return torch.rand(n, generator=rng, dtype=torch.float64, device=rng.device)


def some(n: int, size: int, rng: Generator) -> Tensor:
    """(size,) int64 of n rows, drawn evenly without replacement; all, and no number drawn, where size >= n. O(n).

    >>> some(5, 2, torch.Generator().manual_seed(0)), some(3, 9, torch.Generator())
    (tensor([2, 4]), tensor([0, 1, 2]))
    """
    return torch.arange(n) if size >= n else uniform(n, rng).argsort()[:size]


def draw(weights: Tensor, rng: Generator) -> int:
    """One row, with chances in proportion to its weight; any row alike where no weight is above 0.

    weights (N,) >= 0. O(N).

    >>> draw(torch.tensor([0., 0., 3.]), torch.Generator().manual_seed(0))
    2
    """
    cumulative = weights.cumsum(0, dtype=torch.float64)
    if not cumulative[-1] > 0:
        cumulative = torch.ones_like(cumulative).cumsum(0)
    place = uniform(1, rng).to(cumulative.device) * cumulative[-1]
    below = torch.nextafter(cumulative[-1], cumulative.new_zeros(()))
    return int(torch.searchsorted(cumulative, place.clamp_(max=below), right=True))


def filled(rows: Tensor, n: int, scores: Tensor, key: Tensor | Generator) -> Tensor:
    """The rows (m,), followed by the best of the others until there are n; equal scores by `key`, as in `top`.

    >>> filled(torch.tensor([3]), 3, torch.tensor([.1, .9, .5, .8]), torch.arange(4))
    tensor([3, 1, 2])
    """
    if len(rows) >= n:
        return rows[:n]
    others = scores.index_fill(0, rows, -torch.inf)
    return torch.cat([rows, top(others, n - len(rows), key)])


def one_each_first(order: Tensor, groups: Tensor) -> Tensor:
    """Rows (n,) in the same order, but the first of each group before all others; groups (N,) int64. O(n log n).

    >>> one_each_first(torch.tensor([3, 0, 2, 1]), torch.tensor([5, 6, 6, 5]))
    tensor([3, 2, 0, 1])
    """
    return few_each_first(order, groups, 1)


def few_each_first(order: Tensor, groups: Tensor, most: int) -> Tensor:
    """Rows (n,) in the same order, but the first `most` of each group before all others; groups (N,) int64. O(n log n).

    >>> few_each_first(torch.tensor([3, 0, 1, 2, 4]), torch.tensor([5, 5, 6, 5, 5]), 2)
    tensor([3, 0, 2, 1, 4])
    """
    members = groups[order]
    by_group = members.argsort(stable=True)
    sizes = members.bincount()
    starts = (sizes.cumsum(0) - sizes)[members[by_group]]
    turn = torch.empty_like(by_group)
    turn[by_group] = torch.arange(len(order), device=order.device) - starts
    return torch.cat([order[turn < most], order[turn >= most]])


def round_robin(groups: Tensor, n: int, key: Tensor) -> Tensor:
    """n rows, one from each group in turn, the smallest group first, until all are used up.

    groups  (N,) int64 group of each row, counted from 0
    key     (N,): within a group the lower key goes first, and of two groups of one size that with the lower key

    O(N log N). The walk of Citovsky et al. 2021, arXiv 2107.14263.

    >>> groups = torch.tensor([2, 2, 2, 2, 1, 1, 0])
    >>> groups[round_robin(groups, 6, torch.arange(7))]
    tensor([0, 1, 2, 1, 2, 2])
    """
    if not 1 <= n <= len(groups):
        raise PoolExhausted(n, len(groups))
    sizes, rows = groups.bincount(), key.to(groups.device).argsort(stable=True)
    places = torch.arange(len(rows), device=rows.device)
    first = torch.full_like(sizes, len(rows)).scatter_reduce_(0, groups[rows], places, "amin")
    seats = first.argsort(stable=True)
    seats = seats[sizes[seats].argsort(stable=True)]
    seat = seats.argsort()
    rows = rows[seat[groups[rows]].argsort(stable=True)]
    starts = sizes[seats].cumsum(0) - sizes[seats]
    turn = places - starts[seat[groups[rows]]]
    return rows[turn.argsort(stable=True)][:n]


def gumbel(scores: Tensor, kind: Noise, beta: float, rng: Generator) -> Tensor:
    """Keys whose largest n are a sample without replacement: stochastic batch acquisition.

    With G of Gumbel(0, 1/β): "power" is log s + G (s >= 0; a zero comes after all positive scores), "softmax" s + G,
    "softrank" −log rank + G. β → ∞ takes the best, β → 0 samples evenly. Keys order a sample; they are not scores.

    scores  (N,); returns (N,) float64. O(N), softrank O(N log N).

    Kirsch et al. 2023, "Stochastic Batch Acquisition", arXiv 2106.12059.

    >>> rng = torch.Generator().manual_seed(0)
    >>> gumbel(torch.tensor([.0, .5]), "power", 1e9, rng)
    tensor([   -inf, -0.6931], dtype=torch.float64)
    """
    if kind not in get_args(Noise):
        raise UnknownName("kind of noise", kind, get_args(Noise))
    if not beta > 0:
        raise InputError(f"beta is {beta}: it must be above 0", got=beta)
    noise = -torch.empty(len(scores), dtype=torch.float64, device=rng.device).exponential_(generator=rng).log()
    return _level(scores.double(), kind, rng) + noise.to(scores.device) / beta


def quota(counts: Sequence[int], available: Sequence[int], n: int, shares: Sequence[float] = ()) -> list[int]:
    """How many of n picks each class gets, so that labelled counts approach the target shares.

    One by one, a pick goes to the class with the least (counts + given) / share that still has candidates; equal
    classes by index. A share of zero is served only when nothing else is left.

    counts     (C,) labelled items per class
    available  (C,) candidates per class; their sum is at least n, else `PoolExhausted`
    shares     (C,) target shares; uniform when empty

    O(C + n log C).

    >>> quota((8, 2, 0), (10, 10, 10), 6)
    [0, 2, 4]
    """
    if n > sum(available):
        raise PoolExhausted(n, sum(available))
    shares = tuple(shares) or (1.0,) * len(counts)
    if not len(counts) == len(available) == len(shares):
        raise BadShape(f"{len(counts)} counts, {len(available)} available and {len(shares)} shares: one per class")
    given = [0] * len(counts)
    queue = [(_need(counts[c], shares[c]), c) for c in range(len(counts)) if available[c] > 0]
    heapq.heapify(queue)
    for _ in range(n):
        c = heapq.heappop(queue)[1]
        given[c] += 1
        if given[c] < available[c]:
            heapq.heappush(queue, (_need(counts[c] + given[c], shares[c]), c))
    return given


def _competing(scores: Tensor, n: int) -> Tensor:
    """Rows that reach the n-th largest score, in order of position."""
    threshold = _nth_largest(scores, n)
    if bool(torch.isnan(threshold)) or bool(torch.isnan(scores).any()):
        bad = torch.isnan(scores).nonzero()[:5, 0].tolist()
        raise NotFinite(f"scores hold NaN, the first rows are {bad}", got=bad)
    return (scores >= threshold).nonzero()[:, 0]


def _nth_largest(scores: Tensor, n: int) -> Tensor:
    place = len(scores) - n
    if scores.device.type == "cpu" and scores.dtype in (torch.float32, torch.float64):
        import numpy as np

        return torch.from_numpy(np.partition(scores.detach().numpy(), place)[place : place + 1])[0]
    return scores.kthvalue(place + 1).values


def _level(scores: Tensor, kind: Noise, rng: Generator) -> Tensor:
    if kind == "softmax":
        return scores
    if kind == "power":
        if bool((scores < 0).any()):
            raise InputError("scores below 0 cannot be sampled by power: use kind='softmax' or 'softrank'")
        return scores.log()
    rank = torch.empty_like(scores)
    order = top(scores, len(scores), rng)
    rank[order] = torch.arange(1, len(scores) + 1, dtype=scores.dtype, device=scores.device)
    return -rank.log()


def _need(count: int, share: float) -> float:
    return count / share if share > 0 else float("inf")
