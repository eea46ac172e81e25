"""Greedy sampling for regression: far from what is known in inputs, in outputs, or in both at once."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.functional.distance import Dissimilarity, Points
from askwell.functional.pick import top
from askwell.functional.tiles import tiles

__all__ = ["Product", "central"]


class Product(Dissimilarity):
    """The same N items in two spaces; two items are as far apart as their two distances multiplied.

    Not a metric: two items that agree in one space are at distance 0. `cover.k_center` over it is greedy sampling of
    inputs and outputs. The product of the squared distances is formed per tile, never N × M.

    Wu, Lin and Huang 2019, arXiv 1808.04245.

    >>> x, y = Points(torch.tensor([[0.], [1.], [3.]])), Points(torch.tensor([[0.], [5.], [7.]]))
    >>> both = Product(x, y)
    >>> both.squared(both.take(torch.tensor([1])))
    tensor([[25.,  0., 16.]])
    """

    def __init__(self, inputs: Points, outputs: Points) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.norms = inputs.norms.to(torch.promote_types(inputs.norms.dtype, outputs.norms.dtype))

    def take(self, rows: Tensor) -> Product:
        return Product(self.inputs.take(rows), self.outputs.take(rows))

    def squared(self, centres: Product, where: slice = slice(None)) -> Tensor:
        return self.inputs.squared(centres.inputs, where) * self.outputs.squared(centres.outputs, where)


def central(points: Points, key: Tensor) -> int:
    """The row (N,) nearest to the mean of all rows; of equally near ones that with the lowest key. O(N·D).

    >>> central(Points(torch.tensor([[0.], [1.], [3.], [4.], [9.]])), torch.arange(5))
    2
    """
    total = torch.zeros_like(points.origin)
    for where in tiles(len(points), len(total), points.norms.device):
        total += points.take(torch.arange(where.start, where.stop, device=total.device)).rows.sum(0)
    mean = Points(total[None] / len(points), origin=torch.zeros_like(total))
    return int(top(-points.squared(mean)[0], 1, key))
