"""Log-determinants of kernel matrices: rows that differ from each other and from what is known, picked greedily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import PoolExhausted
from askwell.functional.distance import Space
from askwell.functional.kernels import Kernel
from askwell.functional.pick import top
from askwell.functional.steps import steps
from askwell.functional.submodular import Greedy
from askwell.functional.tiles import tiles

__all__ = ["Given", "log_determinant"]

OWN = 256
LEAST = 1e-6


class Given(NamedTuple):
    """Rows that are known: a term of the value is the log-determinant of what they leave unexplained.

    groups  of known rows, B in all; with none of them it is the log-determinant itself
    scales  for each group, what its similarities to picks are multiplied with
    sign    1 or −1: the term's sign
    """

    groups: tuple[Space, ...] = ()
    scales: tuple[float, ...] = ()
    sign: float = 1.0


def log_determinant(space: Space, n: int, key: Tensor, kernel: Kernel, terms: Sequence[Given], ridge: float) -> Greedy:
    """Picks n of N rows A, each time the one that adds most to Σ sign · log det(S_A + ridge − X (S_B + ridge)⁻¹ Xᵀ).

    S holds the similarities of rows to each other, X those of A to the rows B of a term, times their scales.

    key    (N,): of rows that add the same, the one with the lower key is picked
    ridge  above 0: what is added to the diagonals, so that copies have a determinant

    By one incremental Cholesky factor for each term: O(N·(B + D)·B + Q·N·(B + D + Q)), memory O(N·Q + B²) for
    each. What a row leaves unexplained counts as at least 1e-6, which only scales above 1 can reach.

    Chen, Zhang and Zhou 2018, arXiv 1709.05135.

    >>> from askwell.functional.kernels import Cosine, unit
    >>> angle = torch.tensor([0., .1, 1.5, 3.])
    >>> circle = unit(torch.stack([angle.cos(), angle.sin()], 1))
    >>> log_determinant(circle, 2, torch.arange(4), Cosine(), [Given()], 1.0)
    Greedy(rows=tensor([0, 3]), gains=tensor([0.6931, 0.6931]))
    """
    if not 1 <= n <= len(space):
        raise PoolExhausted(n, len(space))
    factors = [_Factor(_Residual(space, kernel, term, ridge), n) for term in terms]
    key = key.to(space.norms.device)
    rows, gains = [], []
    picked = torch.zeros(len(space), dtype=torch.bool, device=key.device)
    for _ in steps(n):
        values = sum(
            (term.sign * factor.left.log() for term, factor in zip(terms, factors, strict=True)),
            torch.zeros_like(space.norms),
        )
        row = int(top(values.masked_fill_(picked, -torch.inf), 1, key))
        rows.append(row)
        gains.append(float(values[row]))
        picked[row] = True
        for factor in factors:
            factor.add(row)
    return Greedy(
        torch.tensor(rows, device=key.device), torch.tensor(gains, dtype=space.norms.dtype, device=key.device)
    )


class _Residual:
    """The kernel matrix of N rows once some are known, read by columns: never N × N."""

    def __init__(self, space: Space, kernel: Kernel, given: Given, ridge: float) -> None:
        self.space, self.kernel, self.ridge, self.scales = space, kernel, ridge, given.scales
        self.known = [_all(group) for group in given.groups]
        self.count = sum(len(group) for group in self.known)
        if self.count:
            alike = torch.cat([self._alike(group, slice(None)) for group in self.known], 1)
            alike = (alike + alike.t()) / 2 + ridge * torch.eye(self.count, dtype=torch.float64, device=alike.device)
            self.factor = torch.linalg.cholesky(alike)

    def diagonal(self) -> Tensor:
        """(N,) what is unexplained of each row."""
        out = torch.empty_like(self.space.norms)
        for own in torch.split(torch.arange(len(out), device=out.device), OWN):
            rows, where = self.space.take(own), slice(int(own[0]), int(own[-1]) + 1)
            out[where] = self.kernel(rows, rows, slice(None)).diagonal() + self.ridge
            if self.count:
                whitened = torch.linalg.solve_triangular(self.factor, self._cross(self.space, where), upper=False)
                out[where] -= whitened.square().sum(0).to(out)
        return out.clamp_(min=LEAST)

    def column(self, row: int) -> Tensor:
        """(N,) what is unexplained of the similarities to one row, without the ridge of the row itself."""
        out = torch.empty_like(self.space.norms)
        centre = self.space.take(torch.tensor([row], device=out.device))
        for where in tiles(len(out), 1, out.device):
            out[where] = self.kernel(self.space, centre, where)[0]
        if self.count:
            share = torch.cholesky_solve(self._cross(centre, slice(None)), self.factor)[:, 0]
            for where in tiles(len(out), self.count, out.device):
                out[where] -= (share @ self._cross(self.space, where)).to(out)
        return out

    def _cross(self, space: Space, where: slice) -> Tensor:
        """(B, n) float64 similarities of the known rows to those of one slice, scaled."""
        return self._alike(space, where, self.scales)

    def _alike(self, space: Space, where: slice, scales: Sequence[float] = ()) -> Tensor:
        scales = scales or (1.0,) * len(self.known)
        found = [self.kernel(space, group, where) * scale for group, scale in zip(self.known, scales, strict=True)]
        return torch.cat(found).double()


class _Factor:
    """Rows of the Cholesky factor of a residual matrix, one for each pick; `left` (N,) the pivots that would follow."""

    def __init__(self, residual: _Residual, n: int) -> None:
        self.residual, self.left, self.count = residual, residual.diagonal(), 0
        self.rows = self.left.new_empty(n, len(self.left))

    def add(self, row: int) -> None:
        """Counts a row as picked."""
        before = self.rows[: self.count]
        found = self.residual.column(row).sub_(before[:, row] @ before).div_(self.left[row].sqrt())
        self.left.sub_(found.square()).clamp_(min=LEAST)
        self.rows[self.count] = found
        self.count += 1


def _all(space: Space) -> Space:
    return space.take(torch.arange(len(space), device=space.norms.device))
