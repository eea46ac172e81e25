"""Squared distances from many rows to a few centres, tile by tile: never N × N.

A `Dissimilarity` is a set of N items that knows its squared distances to centres taken from itself or from another set
of the same kind. A `Space` is one of vectors, held in whatever form is cheap: `Points` holds them plainly,
`gradient.Gradients` by factors. `greedy.Product` multiplies the distances of two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.tiles import matrix_product, tiles, wide

__all__ = ["Dissimilarity", "Points", "Space"]

CENTRES = 256
SAMPLE = 1024
NEAR_ZERO = 0.9


class Dissimilarity(ABC):
    """N items by their squared distances to a few; `norms` (N,) has the type and device of distances."""

    norms: Tensor

    def __len__(self) -> int:
        return len(self.norms)

    @abstractmethod
    def take(self, rows: Tensor) -> Self:
        """A copy of these rows (n,), to be centres or to be kept close."""

    @abstractmethod
    def squared(self, centres: Self, where: slice = slice(None)) -> Tensor:
        """(m, n) squared distances from a few centres to the rows of one slice, or from all rows to a few."""

    def nearest(self, centres: Self, where: slice) -> Tensor:
        """(n,) squared distances of the rows of one slice to the nearest of a few centres."""
        return self.squared(centres, where).amin(0)

    def lower(self, bounds: Tensor, centres: Self) -> None:
        """Lowers `bounds` (N,) in place to the squared distance to the nearest of `centres`. O(N·m·D)."""
        for start in range(0, len(centres), CENTRES):
            some = centres.take(torch.arange(start, min(len(centres), start + CENTRES), device=self.norms.device))
            for where in tiles(len(self), len(some), self.norms.device):
                torch.minimum(bounds[where], self.nearest(some, where), out=bounds[where])


class Space(Dissimilarity):
    """N vectors by their squared lengths `norms` (N,) and their inner products.

    A squared distance that is below the rounding error of the products counts as 0, so that equal rows are equal.
    """

    @abstractmethod
    def inner(self, centres: Self, where: slice) -> Tensor:
        """(m, n) inner products of centres with the rows of one slice, as a fresh tensor."""

    @abstractmethod
    def rounding(self, where: slice) -> Tensor:
        """(n,) squared distances that cannot be told from 0."""

    def lift(self, centres: Self) -> Tensor:
        """(m,) what makes |x|² − 2·(inner − lift) the squared distance."""
        return centres.norms / 2

    def nearest(self, centres: Self, where: slice) -> Tensor:
        return self._squared(self._lifted(centres, where).amax(0), where)

    def squared(self, centres: Self, where: slice = slice(None)) -> Tensor:
        return self._squared(self._lifted(centres, where), where)

    def _lifted(self, centres: Self, where: slice) -> Tensor:
        return self.inner(centres, where).sub_(self.lift(centres)[:, None])

    def _squared(self, lifted: Tensor, where: slice) -> Tensor:
        squared = torch.add(self.norms[where], lifted, alpha=-2)
        return squared.masked_fill_(squared <= self.rounding(where), 0.0)


class Points(Space):
    """Plain vectors with Euclidean distances.

    rows    (R, D) floating; half precision is computed in float32
    among   (N,) int64: which of the rows are meant, so that a pool-wide tensor need not be gathered; all when None

    Where the rows lie far from the origin, products are taken about their mean: it cancels less.

    >>> line = Points(torch.tensor([[0.], [1.], [3.]]))
    >>> line.squared(line.take(torch.tensor([2])))
    tensor([[9., 4., 0.]])
    """

    def __init__(self, rows: Tensor, among: Tensor | None = None, origin: Tensor | None = None) -> None:
        if rows.ndim != 2 or not rows.is_floating_point():
            got = f"shape {tuple(rows.shape)} and type {rows.dtype}"
            raise BadShape(f"expected a floating-point tensor (N, D), got {got}", got=tuple(rows.shape))
        self.rows, self.among = rows, among
        self.origin = _origin(wide(rows[:: max(1, len(rows) // SAMPLE)])) if origin is None else origin
        self.far = float(self.origin.norm())
        self.roundings = torch.finfo(self.origin.dtype).eps * (4 + rows.shape[1] ** 0.5)
        self.norms = self._norms()

    def take(self, rows: Tensor) -> Points:
        picked = self._read(rows) - self.origin
        return Points(picked, origin=torch.zeros_like(self.origin))

    def beside(self, rows: Tensor, among: Tensor | None = None) -> Points:
        """Other rows, such as labelled items, to serve as centres for these."""
        return Points(rows, among, self.origin)

    def inner(self, centres: Points, where: slice) -> Tensor:
        return matrix_product(centres.rows, self._read(where).t())

    def lift(self, centres: Points) -> Tensor:
        return torch.add(centres.rows.mv(self.origin), centres.norms, alpha=0.5)

    def rounding(self, where: slice) -> Tensor:
        norms = self.norms[where]
        return norms.sqrt().mul_(self.far).add_(norms, alpha=2).mul_(self.roundings)

    def _norms(self) -> Tensor:
        count = len(self.rows if self.among is None else self.among)
        norms = torch.empty(count, dtype=self.origin.dtype, device=self.rows.device)
        for where in tiles(count, self.rows.shape[1], self.rows.device):
            norms[where] = (self._read(where) - self.origin).square_().sum(1)
        return norms

    def _read(self, where: slice | Tensor) -> Tensor:
        return wide(self.rows[where] if self.among is None else self.rows[self.among[where]])


def _origin(sample: Tensor) -> Tensor:
    """The mean of some rows where it is most of what they are, else 0, which keeps small whole numbers exact."""
    if not len(sample):
        return sample.new_zeros(sample.shape[1])
    mean = sample.mean(0)
    return mean if mean.square().sum() > NEAR_ZERO * sample.square().sum(1).mean() else torch.zeros_like(mean)
