"""Joint information of several items: BatchBALD.

Given the model, labels are independent, so with configurations a of the labels of a set A

    H(y_A, y_i) = H(y_A) + Σ_a ω_a H(y_i | a),    p(y_i | a) = Σ_k w_ak P_ik,

where w_ak, the weight of draw k once a is known, is a softmax over draws of log Π_j P_jk(a_j): nothing underflows,
however many items A has. All configurations with ω_a = p(a), or a sample of M of them with ω_a = 1/M.
"""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from askwell.errors import BadShape, PoolExhausted
from askwell.functional.information import mean_entropy
from askwell.functional.pick import top
from askwell.functional.steps import steps
from askwell.functional.tiles import tiles, wide
from askwell.functional.uncertainty import plogp

__all__ = ["Joint", "Saturated", "batch_bald", "joint_information"]

CONFIGURATIONS = 512
SATURATION = 0.95


class Saturated(UserWarning):
    """The joint information of a batch has reached what K draws can show."""


class Joint(NamedTuple):
    """What BatchBALD chose.

    rows         (n,) int64, in the order of the picks
    gains        (n,) float64 nats that each pick added
    information  (n,) float64 nats between the labels of the picks so far and the parameters
    """

    rows: Tensor
    gains: Tensor
    information: Tensor


def batch_bald(mc: Tensor, n: int, rng: Generator, *, key: Tensor | None = None, samples: int = 10_000) -> Joint:
    """Picks n rows whose labels together tell most about the parameters, greedily: within 1 − 1/e of the best.

    mc       (N, K, C) class probabilities of consistent draws: draw k is the same function for every row. Any
             floating type; products are taken in it, half precision in float32, sums over configurations in float64
    key      (N,): of equal rows the lower key goes first; drawn from `rng` when None
    samples  exact while C^|A| configurations with all C labels of one more item are at most this many; beyond, this
             many (at least K) are drawn, anew for every pick

    In the exact phase a gain never exceeds what it was for fewer picks, so only rows whose last gain could still win
    are computed. O(n·N·M·K·C) time for M configurations at worst, memory O(M·K + N·C).

    The estimate cannot exceed log K. Once it comes within 5 % of that, further picks are noise and `Saturated` is
    warned: with K = 100 from about 20 picks.

    Kirsch, van Amersfoort and Gal 2019, arXiv 1906.08158.

    >>> mc = torch.tensor([[.99, .99, .01, .01], [.99, .99, .01, .01], [.95, .05, .95, .05]])
    >>> mc = torch.stack([mc, 1 - mc], 2)
    >>> batch_bald(mc, 2, torch.Generator(), key=torch.arange(3))
    Joint(rows=tensor([0, 2]), gains=tensor([0.6371, 0.4946]...), information=tensor([0.6371, 1.1318]...))
    """
    if mc.ndim != 3 or not mc.is_floating_point():
        got = f"shape {tuple(mc.shape)} and type {mc.dtype}"
        raise BadShape(f"expected a floating-point tensor (N, K, C), got {got}", got=tuple(mc.shape))
    if not 1 <= n <= len(mc):
        raise PoolExhausted(n, len(mc))
    key = torch.randperm(len(mc), generator=rng, device=rng.device) if key is None else key
    greedy = _Greedy(mc, key.to(mc.device), samples, rng)
    for _ in steps(n):
        greedy.pick()
    gains = torch.tensor(greedy.gains, dtype=torch.float64, device=mc.device)
    information = gains.cumsum(0)
    _warn_if_saturated(information, mc.shape[1])
    return Joint(torch.tensor(greedy.rows, device=mc.device), gains, information)


def joint_information(mc: Tensor) -> float:
    """Information between the labels of all rows and the parameters, in nats, over all C^N configurations.

    >>> x = torch.tensor([[.99, .99, .01, .01], [.95, .05, .95, .05]], dtype=torch.float64)
    >>> joint_information(torch.stack([x, 1 - x], 2))
    1.131778
    """
    table = _empty_table(mc)
    for row in mc:
        table = _extend(table, row)
    p = (table.logsumexp(1) - math.log(mc.shape[1])).exp_()
    return float(-plogp(p).sum() - mean_entropy(mc.double()).sum())


class _Greedy:
    """Greedy picks. `bounds` (N,) float64 are the last computed gains, −∞ where picked."""

    def __init__(self, mc: Tensor, key: Tensor, samples: int, rng: Generator) -> None:
        self.mc, self.key, self.samples, self.rng = mc, key, samples, rng
        self.noise = mean_entropy(mc).double()
        self.bounds = torch.full_like(self.noise, torch.inf)
        self.table = _empty_table(mc)
        self.rows: list[int] = []
        self.gains: list[float] = []

    def pick(self) -> None:
        """Adds the row with the largest gain."""
        if self._exact():
            weights, share = _posterior(self.table)
            self._lazily(weights, share)
        else:
            weights, share = _posterior(self._sample())
            self._gain(
                torch.arange(len(self.mc), device=self.mc.device), weights, torch.full_like(share, 1 / len(share))
            )
        row = int(top(self.bounds, 1, self.key))
        self.rows.append(row)
        self.gains.append(max(0.0, float(self.bounds[row])))
        self.bounds[row] = -torch.inf
        if self._exact():
            self.table = _extend(self.table, self.mc[row])

    def _exact(self) -> bool:
        configurations: int = self.mc.shape[2] ** (len(self.rows) + 1)
        return not self.rows or configurations <= self.samples

    def _lazily(self, weights: Tensor, share: Tensor) -> None:
        """Brings bounds up to date, the largest first, until none of the others can win."""
        order = self.bounds.argsort(descending=True, stable=True)
        best = -torch.inf
        for where in tiles(len(order), self.mc[0].numel(), order.device):
            rows = order[where]
            if best > self.bounds[rows[0]]:
                return
            self._gain(rows, weights, share)
            best = max(best, float(self.bounds[rows].max()))

    def _gain(self, rows: Tensor, weights: Tensor, share: Tensor) -> None:
        rows = rows[self.bounds[rows] > -torch.inf]
        self.bounds[rows] = _conditional_entropy(self.mc, rows, weights, share) - self.noise[rows]

    def _sample(self) -> Tensor:
        """(M, K) log Π_j P_jk(a_j) of M drawn configurations, as many from each draw k."""
        draws = self.mc.shape[1]
        each = max(1, self.samples // draws)
        table = self.noise.new_zeros(each * draws, draws)
        for row in self.rows:
            p = self.mc[row].double()
            labels = (
                p.to(self.rng.device).multinomial(each, replacement=True, generator=self.rng).flatten().to(p.device)
            )
            table += p.log().t()[labels]
        return table


def _empty_table(mc: Tensor) -> Tensor:
    return torch.zeros(1, mc.shape[1], dtype=torch.float64, device=mc.device)


def _extend(table: Tensor, row: Tensor) -> Tensor:
    """(M, K) log Π_j P_jk(a_j) with the labels of one more item (K, C); impossible configurations are left out."""
    longer = (table[:, None] + row.double().log().t()).flatten(0, 1)
    return longer[longer.amax(1) > -torch.inf]


def _posterior(table: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the draws given each configuration (M, K), and the probabilities of the configurations (M,)."""
    total = table.logsumexp(1, keepdim=True)
    return (table - total).exp_(), (total[:, 0] - math.log(table.shape[1])).exp_()


def _conditional_entropy(mc: Tensor, rows: Tensor, weights: Tensor, share: Tensor) -> Tensor:
    """Σ_a ω_a H(y_i | a) for the given rows, (n,) float64."""
    kind = wide(mc[:0]).dtype
    weights, share = weights.to(kind), share.to(kind)
    out = torch.zeros(len(rows), dtype=torch.float64, device=mc.device)
    width = mc.shape[2] * max(mc.shape[1], min(len(weights), CONFIGURATIONS))
    for where in tiles(len(rows), width, mc.device):
        p = wide(mc[rows[where]]).permute(1, 0, 2).flatten(1)
        for start in range(0, len(weights), CONFIGURATIONS):
            some = slice(start, start + CONFIGURATIONS)
            terms = share[some] @ plogp(weights[some] @ p)
            out[where] -= terms.view(-1, mc.shape[2]).sum(1)
    return out


def _warn_if_saturated(information: Tensor, draws: int) -> None:
    full = (information >= SATURATION * math.log(draws)).nonzero()
    if draws > 1 and len(full) and int(full[0]) + 1 < len(information):
        warnings.warn(
            f"after {int(full[0]) + 1} of {len(information)} picks the joint information is within 5 % of log {draws}, "
            f"all that {draws} draws can show: the picks after it are noise. Use more draws, a smaller batch, or "
            "Stochastic(BALD())",
            Saturated,
            stacklevel=3,
        )
