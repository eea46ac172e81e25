"""The straightforward, well-written version of each kernel: one pass per pick, no tiles, no bounds."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

__all__ = ["badge", "bald", "batch_bald", "entropy", "k_center", "least_confidence", "margin"]


def least_confidence(p: Tensor, n: int) -> Tensor:
    return (1 - p.amax(1)).topk(n).indices


def margin(p: Tensor, n: int) -> Tensor:
    best = p.topk(2, dim=1).values
    return (1 - (best[:, 0] - best[:, 1])).topk(n).indices


def entropy(p: Tensor, n: int) -> Tensor:
    return torch.special.entr(p).sum(1).topk(n).indices


def bald(mc: Tensor, n: int) -> Tensor:
    information = torch.special.entr(mc.mean(1)).sum(1) - torch.special.entr(mc).sum(2).mean(1)
    return information.topk(n).indices


def batch_bald(mc: Tensor, n: int, samples: int, rng: Generator) -> Tensor:
    """Joint entropies by a table of products, exact up to `samples` labels, then sampled; all rows each time."""
    draws, classes = mc.shape[1:]
    noise, picks, table = torch.special.entr(mc).sum(2).mean(1), [], torch.ones(1, draws)
    for _ in range(n):
        exact = classes ** (len(picks) + 1) <= samples
        if not exact:
            table = _sampled(mc[picks], samples // draws, rng)
        q = table.mean(1) if exact else torch.full((len(table),), 1 / len(table))
        rows = table / table.sum(1, keepdim=True)
        gains = (
            torch.cat([torch.einsum("m,nmc->n", q, torch.special.entr(rows @ part)) for part in mc.split(16)]) - noise
        )
        gains[picks] = -torch.inf
        picks.append(int(gains.argmax()))
        if exact:
            table = (table[:, None] * mc[picks[-1]].t()).flatten(0, 1)
    return torch.tensor(picks)


def _sampled(chosen: Tensor, each: int, rng: Generator) -> Tensor:
    table = torch.ones(each * chosen.shape[1], chosen.shape[1])
    for p in chosen:
        table *= p.t()[p.multinomial(each, replacement=True, generator=rng).flatten()]
    return table


def k_center(z: Tensor, n: int, first: int) -> Tensor:
    norms, nearest, picks = z.square().sum(1), torch.full((len(z),), torch.inf), [first]
    for _ in range(n - 1):
        products = torch.from_numpy(z.numpy() @ z[picks[-1]].numpy())
        torch.minimum(nearest, (norms + norms[picks[-1]] - 2 * products).clamp_(min=0), out=nearest)
        nearest[picks[-1]] = -1
        picks.append(int(nearest.argmax()))
    return torch.tensor(picks)


def badge(p: Tensor, z: Tensor, n: int, rng: Generator) -> Tensor:
    """k-means++ over gradients by their factors, the potentials of all rows brought up to date after every pick."""
    q = p - torch.nn.functional.one_hot(p.argmax(1), p.shape[1])
    norms = q.square().sum(1) * z.square().sum(1)
    nearest, picks = torch.full((len(z),), torch.inf), [int(norms.argmax())]
    for _ in range(n - 1):
        last = picks[-1]
        products = torch.from_numpy(z.numpy() @ z[last].numpy()) * torch.from_numpy(q.numpy() @ q[last].numpy())
        torch.minimum(nearest, (norms + norms[last] - 2 * products).clamp_(min=0), out=nearest)
        nearest[last] = 0
        cumulative = nearest.cumsum(0, dtype=torch.float64)
        place = torch.rand(1, generator=rng, dtype=torch.float64) * cumulative[-1]
        picks.append(int(torch.searchsorted(cumulative, place, right=True)))
    return torch.tensor(picks)
