"""Maximal marginal relevance: the best rows that are not like each other."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import PoolExhausted
from askwell.functional.distance import Space
from askwell.functional.pick import top
from askwell.functional.steps import steps
from askwell.functional.submodular import Greedy

__all__ = ["marginal_relevance"]


def marginal_relevance(scores: Tensor, space: Space, n: int, key: Tensor, alpha: float) -> Greedy:
    """Picks n rows, each time the one with the highest score − alpha · (highest inner product with an earlier pick).

    scores  (N,) of the rows of `space`, whose inner products say how alike they are: rows of length one have cosines
    key     (N,): of equally good rows, the one with the lower key is picked
    alpha   >= 0; 0 takes the best scores

    `gains` are these differences. O(n·N·D), memory O(N).

    Carbonell and Goldstein 1998, doi:10.1145/290941.291025.

    >>> from askwell.functional.kernels import unit
    >>> three = unit(torch.tensor([[1., 0.], [.98, .199], [0., 1.]]))
    >>> marginal_relevance(torch.tensor([1., .95, .6]), three, 2, torch.arange(3), .5)
    Greedy(rows=tensor([0, 2]), gains=tensor([1.0000, 0.6000]))
    """
    if not 1 <= n <= len(space):
        raise PoolExhausted(n, len(space))
    key = key.to(scores.device)
    values, closest = scores.clone(), torch.full_like(scores, -torch.inf)
    picks: list[tuple[int, float]] = []
    for _ in steps(n):
        row = int(top(values, 1, key))
        picks.append((row, float(values[row])))
        centre = space.take(torch.tensor([row], device=scores.device))
        torch.maximum(closest, space.inner(centre, slice(None))[0].to(scores), out=closest)
        values = torch.where(values == -torch.inf, values, scores - alpha * closest)
        values[row] = -torch.inf
    rows, gains = zip(*picks, strict=True)
    return Greedy(
        torch.tensor(rows, device=scores.device), torch.tensor(gains, dtype=scores.dtype, device=scores.device)
    )
