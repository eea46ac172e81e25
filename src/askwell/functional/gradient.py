"""Gradients of the last layer by their factors, never as (N, C·D).

The gradient of cross-entropy at the predicted label, with respect to the last layer's weights, is the outer product
g = q ⊗ z of q = p − e_ŷ (C,) and the embedding z (D,). So ‖g‖² = ‖q‖²·‖z‖² and ⟨g, h⟩ = ⟨q, r⟩·⟨z, y⟩.
"""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.distance import Space
from askwell.functional.tiles import matrix_product, tiles, wide

__all__ = ["Gradients", "surprise"]


def surprise(p: Tensor, among: Tensor | None = None) -> Tensor:
    """q = p − e_ŷ (N, C): the gradient with respect to the logits at the predicted label; ties to the lowest class.

    >>> surprise(torch.tensor([[.5, .3, .2], [.4, .4, .2]]))
    tensor([[-0.5000,  0.3000,  0.2000],
            [-0.6000,  0.4000,  0.2000]])
    """
    q = wide(p if among is None else p[among])
    q = q.clone() if q is p else q
    predicted = q.argmax(1, keepdim=True)
    return q.scatter_add_(1, predicted, q.new_full((1, 1), -1.0).expand_as(predicted))


class Gradients(Space):
    """Last-layer gradients of N rows with their Euclidean distances.

    q      (N, C), see `surprise`
    z      (R, D) embedding of the same forward pass; half precision is computed in float32
    among  (N,) int64: where in z the rows of q are; the same rows when None

    Memory O(N), a product O(N·(C + D)) per centre.

    >>> p = torch.tensor([[.5, .3, .2], [.6, .3, .1]])
    >>> pair = Gradients(surprise(p), torch.tensor([[1., 0.], [1., 1.]]))
    >>> pair.norms, pair.squared(pair.take(torch.tensor([1])))
    (tensor([0.3800, 0.5200]), tensor([[0.2800, 0.0000]]))
    """

    def __init__(self, q: Tensor, z: Tensor, among: Tensor | None = None) -> None:
        rows = len(z) if among is None else len(among)
        if q.ndim != 2 or z.ndim != 2 or len(q) != rows:
            got = (tuple(q.shape), tuple(z.shape))
            raise BadShape(f"expected q (N, C) and z (N, D) of the same rows, got {got[0]} and {got[1]}", got=got)
        self.q, self.z, self.among = q, z, among
        kind = torch.promote_types(q.dtype, wide(z[:0]).dtype)
        self.roundings = 2 * torch.finfo(kind).eps * (4 + (q.shape[1] + z.shape[1]) ** 0.5)
        self.norms = torch.empty(rows, dtype=kind, device=q.device)
        for where in tiles(rows, z.shape[1], q.device):
            self.norms[where] = q[where].square().sum(1) * self._read(where).square().sum(1)

    def take(self, rows: Tensor) -> Gradients:
        return Gradients(self.q[rows], self._read(rows))

    def inner(self, centres: Gradients, where: slice) -> Tensor:
        logits = matrix_product(centres.q, self.q[where].t())
        return matrix_product(centres.z, self._read(where).t()).mul_(logits)

    def rounding(self, where: slice) -> Tensor:
        return self.norms[where].mul(self.roundings)

    def _read(self, where: slice | Tensor) -> Tensor:
        return wide(self.z[where] if self.among is None else self.z[self.among[where]])
