"""How alike items are, between 0 and 1: functions of their distance or of their angle, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from askwell.functional.distance import Dissimilarity, Points, Space
from askwell.functional.tiles import tiles, wide

__all__ = ["Ball", "Cosine", "Gaussian", "Kernel", "alike", "highest", "separation", "total", "unit"]

CENTRES = 256


class Kernel(Protocol):
    """A similarity in [0, 1] of a few centres to the rows of one slice of a space."""

    def __call__(self, space: Space, centres: Space, where: slice) -> Tensor:
        """(m, n) similarities as a fresh tensor."""


@dataclass(frozen=True)
class Ball:
    """1 where the distance is below the radius, else 0.

    >>> line = Points(torch.tensor([[0.], [1.], [3.]]))
    >>> Ball(1.5)(line, line.take(torch.tensor([0])), slice(None))
    tensor([[1., 1., 0.]])
    """

    radius: float

    def __call__(self, space: Space, centres: Space, where: slice) -> Tensor:
        return space.squared(centres, where).lt_(self.radius**2)


@dataclass(frozen=True)
class Gaussian:
    """exp(−(distance / width)²).

    >>> line = Points(torch.tensor([[0.], [1.], [3.]]))
    >>> Gaussian(1.0)(line, line.take(torch.tensor([0])), slice(None))
    tensor([[1.0000e+00, 3.6788e-01, 1.2341e-04]])
    """

    width: float

    def __call__(self, space: Space, centres: Space, where: slice) -> Tensor:
        return space.squared(centres, where).mul_(-1 / self.width**2).exp_()


@dataclass(frozen=True)
class Cosine:
    """(1 + cosine) / 2 of rows of length one, as `unit` makes them; ½ for a row of zeros.

    >>> two = unit(torch.tensor([[3., 0.], [0., 2.], [-1., 0.]]))
    >>> Cosine()(two, two.take(torch.tensor([0])), slice(None))
    tensor([[1.0000, 0.5000, 0.0000]])
    """

    def __call__(self, space: Space, centres: Space, where: slice) -> Tensor:
        return space.inner(centres, where).add_(1).mul_(0.5).clamp_(0, 1)


def unit(rows: Tensor) -> Points:
    """Rows (N, D) scaled to length one, about the origin; a row of zeros stays. A copy, float32 where narrower."""
    rows = wide(rows)
    lengths = rows.norm(dim=1, keepdim=True).clamp_(min=torch.finfo(rows.dtype).tiny)
    return Points(rows / lengths, origin=rows.new_zeros(rows.shape[1]))


def alike(kernel: Kernel, space: Space, centres: Space, reduce: str, out: Tensor) -> Tensor:
    """Folds the similarities to all centres into `out` (N,), by "amax" or "sum". O(N·m·D), memory for one tile."""
    for start in range(0, len(centres), CENTRES):
        some = centres.take(torch.arange(start, min(len(centres), start + CENTRES), device=out.device))
        for where in tiles(len(space), len(some), out.device):
            found = kernel(space, some, where)
            if reduce == "amax":
                torch.maximum(out[where], found.amax(0), out=out[where])
            else:
                out[where] += found.sum(0)
    return out


def highest(kernel: Kernel, space: Space, centres: Space) -> Tensor:
    """(N,) similarity to the most similar centre; 0 with none.

    >>> line = Points(torch.tensor([[0.], [1.], [3.]]))
    >>> highest(Ball(1.5), line, line.take(torch.tensor([0, 1])))
    tensor([1., 1., 0.])
    """
    return alike(kernel, space, centres, "amax", torch.zeros_like(space.norms))


def total(kernel: Kernel, space: Space, centres: Space) -> Tensor:
    """(N,) sum of the similarities to all centres.

    >>> line = Points(torch.tensor([[0.], [1.], [3.]]))
    >>> total(Ball(1.5), line, line.take(torch.tensor([0, 1])))
    tensor([2., 2., 0.])
    """
    return alike(kernel, space, centres, "sum", torch.zeros_like(space.norms))


def separation(space: Dissimilarity) -> float:
    """The least distance above 0 between two rows; infinite where there are no two different ones. O(N²·D).

    >>> separation(Points(torch.tensor([[0.], [0.], [3.], [4.5]])))
    1.5
    """
    least = torch.inf
    for where in tiles(len(space), len(space), space.norms.device):
        squared = space.squared(space.take(torch.arange(where.start, where.stop, device=space.norms.device)))
        least = min(least, float(squared.masked_fill_(squared <= 0, torch.inf).amin()))
    return float(least**0.5)
