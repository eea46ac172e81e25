"""BAIT: the batch whose labels leave least expected error, by Fisher information; forward with too many, then back."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import PoolExhausted
from askwell.functional.fisher import Fishers
from askwell.functional.pick import top
from askwell.functional.steps import steps

__all__ = ["Chosen", "bait"]

OVERSAMPLING = 2
REFRESH = 50
SLACK = 1e-3
TOGETHER = 1024


class Chosen(NamedTuple):
    """What BAIT chose.

    rows   (n,) int64, in the order of the forward picks
    gains  (n,) float64: what each took off the trace when it was added
    trace  tr(M⁻¹ F) at the end
    """

    rows: Tensor
    gains: Tensor
    trace: float


def bait(fishers: Fishers, known: Tensor, wanted: Tensor, n: int, key: Tensor) -> Chosen:
    """Picks n rows, greedily, for the least tr(M⁻¹ F): M is what is known with the picks, F what is wanted.

    known   (w, w) float64: information before the picks, positive definite
    wanted  (w, w) float64: mean information of the items that matter
    key     (N,): of rows with equal gain the one with the lower key is added, and the one with the higher is kept

    2·n rows are added, each time the one that lowers the trace most; then those whose removal raises it least are
    taken out again. With A = M⁻¹ and B = A F A a row gains tr[(I + S A_z)⁻¹ S B_z], at most tr[S B_z], where A_z (c, c)
    is A along its embedding. A_z and B_z of all rows follow each pick by products of rank c; gains are computed for the
    rows that could still win. A and B follow by Woodbury's identity in float64; all is made anew every 50 picks.
    O(N·w²) once and every 50 picks, O(n·N·(w·c + c³)) for the picks, O(n²·w²) for the way back; memory O(N·c² + w²).

    Ash et al. 2021, arXiv 2106.09675.

    >>> from askwell.functional.fisher import contrasts
    >>> p, x = torch.tensor([.5, .9, .6]), torch.tensor([[2., 0.], [0., 1.], [1., 1.]])
    >>> pool = Fishers(torch.stack([p, 1 - p], 1), x, contrasts(2, 1, torch.Generator()))
    >>> bait(pool, 2 * torch.eye(2, dtype=torch.float64), pool.mean(), 1, torch.arange(3))
    Chosen(rows=tensor([0]), gains=tensor([0.2067], dtype=torch.float64), trace=0.316...)
    """
    if not 1 <= n <= len(fishers):
        raise PoolExhausted(n, len(fishers))
    search = _Search(fishers, known, wanted, key.to(fishers.p.device))
    for _ in steps(min(OVERSAMPLING * n, len(fishers))):
        search.add()
    for _ in steps(len(search.gains) - n, "taking back"):
        search.remove()
    rows = torch.tensor(list(search.gains), device=key.device)
    gains = torch.tensor(list(search.gains.values()), dtype=torch.float64, device=key.device)
    return Chosen(rows, gains, float((search.inverse * wanted).sum()))


class _Search:
    """Rows and their gains in order; `inverse` is A, `product` B, `seen` and `aimed` (N, c, c) are A_z and B_z.

    `bounds` (N,) on gains are −∞ where picked.
    """

    def __init__(self, fishers: Fishers, known: Tensor, wanted: Tensor, key: Tensor) -> None:
        self.fishers, self.information, self.wanted, self.key = fishers, known.clone(), wanted, key
        self.bounds = torch.zeros(len(fishers), dtype=fishers.kind, device=key.device)
        self.seen = self.bounds.new_empty(len(fishers), fishers.directions, fishers.directions)
        self.aimed = torch.empty_like(self.seen)
        self.gains: dict[int, float] = {}
        self.changes = 0
        self._invert()
        self._look()

    def add(self) -> None:
        """Picks the row that lowers the trace most."""
        gains = self._contenders()
        row = int(top(gains, 1, self.key))
        self.gains[row] = float(gains[row])
        self.bounds[row] = -torch.inf
        vectors, others = self._change(row, 1)
        if self.changes % REFRESH:
            self._follow(vectors, others)
        else:
            self._look()

    def remove(self) -> None:
        """Takes out the row without which the trace grows least."""
        rows = torch.tensor(list(self.gains), device=self.key.device)
        seen, aimed = self.fishers.inside(self.inverse, rows), self.fishers.inside(self.product, rows)
        growth = _trace_change(self.fishers.logits(rows), seen, aimed, -1)
        row = int(rows[top(-growth, 1, -self.key[rows].double())])
        del self.gains[row]
        self._change(row, -1)

    def _contenders(self) -> Tensor:
        """(N,) gains of the rows that could win, −∞ of the others."""
        gains = torch.full_like(self.bounds, -torch.inf, dtype=torch.float64)
        order = self.bounds.argsort(descending=True, stable=True)
        best, start = -torch.inf, 0
        while start < len(order) and best <= float(self.bounds[order[start]]) * (1 + SLACK):
            rows = order[start : start + TOGETHER]
            rows = rows[self.bounds[rows] > -torch.inf]
            gains[rows] = _trace_change(self.fishers.logits(rows), self.seen[rows], self.aimed[rows], 1)
            best = max(best, float(gains[rows].max()))
            start += TOGETHER
        return gains

    def _change(self, row: int, sign: int) -> tuple[Tensor, Tensor]:
        """Adds or takes out a row: A ← A ∓ U Uᵀ, B ← B ∓ (U Wᵀ + W Uᵀ); returns U and W (w, c)."""
        root = self.fishers.root(row)
        self.information += sign * root @ root.t()
        self.changes += 1
        reach = self.inverse @ root
        inner = sign * (root.t() @ reach)
        inner.diagonal().add_(1)
        vectors = torch.linalg.solve_triangular(torch.linalg.cholesky(inner), reach.t(), upper=False).t()
        aimed = self.wanted @ vectors
        others = self.inverse @ aimed - sign * vectors @ (vectors.t() @ aimed) / 2
        if self.changes % REFRESH:
            self.inverse -= sign * vectors @ vectors.t()
            self.product -= sign * _crossed(vectors, others)
        else:
            self._invert()
        return vectors, others

    def _invert(self) -> None:
        """A and B from M."""
        self.inverse = torch.cholesky_inverse(torch.linalg.cholesky(self.information))
        self.product = self.inverse @ self.wanted @ self.inverse

    def _look(self) -> None:
        """A_z and B_z from A and B."""
        for where in self.fishers.blocks():
            self.seen[where] = self.fishers.inside(self.inverse, where)
            self.aimed[where] = self.fishers.inside(self.product, where)
            self._bound(where)

    def _follow(self, vectors: Tensor, others: Tensor) -> None:
        """A_z and B_z after a row was added."""
        for where in self.fishers.blocks():
            along, across = self.fishers.along(vectors, where), self.fishers.along(others, where)
            self.seen[where] -= along @ along.transpose(1, 2)
            self.aimed[where] -= _crossed(along, across)
            self._bound(where)

    def _bound(self, where: slice) -> None:
        """tr[S B_z], unless picked."""
        traces = (self.fishers.logits(where) * self.aimed[where]).sum((1, 2))
        self.bounds[where] = torch.where(self.bounds[where] > -torch.inf, traces, -torch.inf)


def _trace_change(logits: Tensor, seen: Tensor, aimed: Tensor, sign: int) -> Tensor:
    """(n,) float64: how far the trace falls with each row added (1), or rises with each taken out (−1)."""
    inner = sign * (logits @ seen)
    inner.diagonal(dim1=1, dim2=2).add_(1)
    changes: Tensor = torch.linalg.solve(inner, logits @ aimed)
    return changes.diagonal(dim1=1, dim2=2).sum(1).double()


def _crossed(one: Tensor, other: Tensor) -> Tensor:
    """one · otherᵀ + other · oneᵀ."""
    product = one @ other.transpose(-1, -2)
    return product + product.transpose(-1, -2)
