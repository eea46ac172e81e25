"""Fisher information about a last linear layer, item by item, by its factors: never as (N, CD, CD).

What the label of an item tells about the weights is S ⊗ z zᵀ with S = diag p − p pᵀ (C, C), the information about the
logits, and the embedding z (D,). Logits that all move alike change nothing, so that S is written in C − 1 directions.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from askwell.errors import BadShape
from askwell.functional.tiles import wide

__all__ = ["Fishers", "contrasts", "sketch"]

ROWS = 1024


def contrasts(classes: int, most: int, rng: Generator) -> Tensor:
    """(c, C) directions of the logits: all C − 1 that are orthonormal and orthogonal to (1, …, 1), or random mixtures.

    most  how many mixtures stand for them where there are more; O(C²)

    >>> contrasts(3, 9, torch.Generator())
    tensor([[ 0.7071, -0.7071,  0.0000],
            [ 0.4082,  0.4082, -0.8165]], dtype=torch.float64)
    """
    steps = torch.arange(1, classes, dtype=torch.float64)[:, None]
    places = torch.arange(classes, dtype=torch.float64)
    basis = ((places < steps).double() - steps * (places == steps)) / (steps * (steps + 1)).sqrt()
    return sketch(classes - 1, most, rng).t() @ basis if classes - 1 > most else basis


def sketch(width: int, most: int, rng: Generator) -> Tensor:
    """(width, most) float64: a random projection that keeps inner products on average.

    Johnson and Lindenstrauss 1984, doi:10.1090/conm/026/737400.
    """
    drawn = torch.randn(width, most, generator=rng, dtype=torch.float64, device=rng.device)
    return drawn.cpu().div_(most**0.5)


class Fishers:
    """Fisher information of N items, each S ⊗ z zᵀ times a scale; flat width w = c·d, c directions of the logits first.

    p      (N, C) probabilities; z (N, D) embeddings of the same pass; half precision is computed in float32
    basis  (c, C) directions of the logits, see `contrasts`
    scale  of all items

    >>> p, z = torch.tensor([[.5, .5], [.9, .1]]), torch.tensor([[2., 0.], [0., 1.]])
    >>> Fishers(p, z, contrasts(2, 1, torch.Generator())).mean()
    tensor([[1.0000, 0.0000],
            [0.0000, 0.0900]], dtype=torch.float64)
    """

    def __init__(self, p: Tensor, z: Tensor, basis: Tensor, scale: float = 1.0) -> None:
        if p.ndim != 2 or z.ndim != 2 or len(p) != len(z) or p.shape[1] != basis.shape[1]:
            got = (tuple(p.shape), tuple(z.shape))
            raise BadShape(f"expected p (N, C) and z (N, D) of the same rows, got {got[0]} and {got[1]}", got=got)
        self.p, self.z, self.scale = p, z, scale
        self.kind = torch.promote_types(wide(p[:0]).dtype, wide(z[:0]).dtype)
        self.basis = basis.to(p.device, self.kind)
        self.products = (self.basis[:, None] * self.basis).flatten(0, 1).t().contiguous()
        self.directions, self.width = len(basis), len(basis) * z.shape[1]

    def __len__(self) -> int:
        return len(self.p)

    def logits(self, rows: slice | Tensor) -> Tensor:
        """(n, c, c) information about the logits, S in the directions of the basis."""
        p = self.p[rows].to(self.kind)
        mean, spread = p @ self.basis.t(), p @ self.products
        return (spread.view(len(p), self.directions, -1) - mean[:, :, None] * mean[:, None]).mul_(self.scale)

    def rows(self, rows: slice | Tensor) -> Tensor:
        """(n, D) embeddings."""
        return self.z[rows].to(self.kind)

    def blocks(self) -> Iterator[slice]:
        """Slices of the rows, for work that holds n·w numbers."""
        for start in range(0, len(self), ROWS):
            yield slice(start, min(len(self), start + ROWS))

    def mean(self) -> Tensor:
        """(w, w) float64: mean information of all items; 0 where there are none. O(N·w²)."""
        c, d = self.directions, self.z.shape[1]
        total = torch.zeros(c, d, c, d, dtype=torch.float64, device=self.p.device)
        for where in self.blocks():
            s, z = self.logits(where), self.rows(where)
            for a in range(c):
                weighted = (s[:, a, :, None] * z[:, None]).flatten(1)
                total[a] += (z.t() @ weighted).view(d, c, d)
        return total.view(self.width, self.width) / max(1, len(self))

    def inside(self, matrix: Tensor, rows: slice | Tensor) -> Tensor:
        """(n, c, c): (I ⊗ z)ᵀ matrix (I ⊗ z) of a symmetric matrix (w, w), for the given rows. O(n·w²)."""
        c, z = self.directions, self.rows(rows)
        d = z.shape[1]
        flat = matrix.to(self.kind).view(c, d, c, d)
        out = z.new_empty(len(z), c, c)
        for a in range(c):
            out[:, a] = ((z @ flat[a].flatten(1)).view(-1, c, d) @ z[:, :, None])[:, :, 0]
        return out

    def along(self, vectors: Tensor, rows: slice | Tensor) -> Tensor:
        """(n, c, r): (I ⊗ z)ᵀ vectors (w, r), for the given rows. O(n·w·r)."""
        c, z = self.directions, self.rows(rows)
        flat = vectors.to(self.kind).view(c, z.shape[1], -1).transpose(0, 1).flatten(1)
        return (z @ flat).view(len(z), c, -1)

    def root(self, row: int) -> Tensor:
        """(w, c) float64: V with V Vᵀ the information of one item."""
        one = torch.tensor([row], device=self.p.device)
        values, vectors = torch.linalg.eigh(self.logits(one)[0].double())
        half = vectors * values.clamp(min=0).sqrt()
        return torch.einsum("ar,d->adr", half, self.rows(one)[0].double()).flatten(0, 1)
