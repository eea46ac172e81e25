"""Which items resemble some targets in the features of a network and in their gradients.

An item's descriptor is made of blocks, one per layer: features, and the gradient of the loss with respect to them.
Every block is standardised on its own, so that the inner product of two descriptors is a sum of correlations:
R(i, v) = z_i · z_v + g_i · g_v.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.distance import Dissimilarity
from askwell.functional.tiles import tiles

__all__ = ["Alike", "Matches", "interleaved", "likeness", "matches", "most_alike", "pooled", "standardised"]

EPSILON = 1e-10
TARGETS = 2048


class Matches(NamedTuple):
    """The best rows of each target: `rows` (k, T) int64 and their similarities `values` (k, T), the best first."""

    rows: Tensor
    values: Tensor


def pooled(features: Tensor) -> Tensor:
    """(n, S): maps (n, S, height, width) averaged over the picture, (n, L, S) over its places; (n, S) as it is.

    >>> pooled(torch.tensor([[[[1., 3.], [1., 3.]]]])), pooled(torch.tensor([[[1., 4.], [3., 8.]]]))
    (tensor([[2.]]), tensor([[2., 6.]]))
    """
    if features.ndim == 3:
        return features.mean(1)
    return features.flatten(2).mean(2) if features.ndim > 3 else features


def standardised(block: Tensor) -> Tensor:
    """(n, S) of mean 0 and deviation 1 in every row: inner products of rows are S − 1 times their correlation.

    Rows of one number, or of equal ones, become 0.

    >>> rows = standardised(torch.tensor([[1., 2., 3., 4.], [2., 4., 6., 9.]]))
    >>> rows[0] @ rows[1]
    tensor(2.9831)
    """
    centred = block - block.mean(1, keepdim=True)
    if block.shape[1] < 2:
        return centred
    deviation: Tensor = centred.norm(dim=1, keepdim=True) / (block.shape[1] - 1) ** 0.5
    return centred / (deviation + EPSILON)


def matches(descriptors: Tensor, targets: Tensor, most: int) -> Matches:
    """The `most` rows of descriptors (N, S) that are most alike to each target (T, S); k = min(most, N).

    O(N·T·S), memory for one tile of rows and at most 2048 targets.

    >>> matches(torch.tensor([[1., -1.], [2., -2.], [-1., 1.]]), torch.tensor([[1., -1.]]), 2)
    Matches(rows=tensor([[1],
            [0]]), values=tensor([[4.],
            [2.]]))
    """
    if descriptors.shape[1:] != targets.shape[1:]:
        got = (tuple(descriptors.shape), tuple(targets.shape))
        raise BadShape(f"expected descriptors (N, S) and targets (T, S), got {got[0]} and {got[1]}", got=got)
    some = range(0, len(targets), TARGETS)
    parts = [_best(descriptors, targets[start : start + TARGETS], min(most, len(descriptors))) for start in some]
    return Matches(torch.cat([part.rows for part in parts], 1), torch.cat([part.values for part in parts], 1))


def _best(descriptors: Tensor, targets: Tensor, most: int) -> Matches:
    rows = torch.empty(0, len(targets), dtype=torch.int64, device=descriptors.device)
    values = descriptors.new_empty(0, len(targets))
    for where in tiles(len(descriptors), len(targets), descriptors.device):
        here = torch.arange(where.start, where.stop, device=rows.device)[:, None].expand(-1, len(targets))
        values = torch.cat([values, descriptors[where] @ targets.t()])
        values, places = values.topk(min(most, len(values)), dim=0)
        rows = torch.cat([rows, here]).gather(0, places)
    return Matches(rows, values)


def most_alike(descriptors: Tensor, among: Tensor) -> Tensor:
    """(n,) int64: which row of `among` (V, S) is most alike to each descriptor (n, S); the first of several. O(n·V·S).

    >>> most_alike(torch.tensor([[1., -1.], [-2., 2.]]), torch.tensor([[-1., 1.], [1., -1.]]))
    tensor([1, 0])
    """
    found = torch.empty(len(descriptors), dtype=torch.int64, device=descriptors.device)
    for where in tiles(len(descriptors), len(among), descriptors.device):
        found[where] = (descriptors[where] @ among.t()).argmax(1)
    return found


def likeness(descriptors: Tensor, targets: Tensor) -> Tensor:
    """(N,) similarity of each descriptor (N, S) to the target (T, S) that it is most alike to. O(N·T·S).

    >>> likeness(torch.tensor([[1., -1.], [-2., 2.]]), torch.tensor([[1., -1.], [-1., 1.]]))
    tensor([2., 4.])
    """
    found = descriptors.new_empty(len(descriptors))
    for where in tiles(len(descriptors), len(targets), descriptors.device):
        found[where] = (descriptors[where] @ targets.t()).amax(1)
    return found


def interleaved(found: Matches, n: int) -> tuple[Tensor, Tensor]:
    """At most n distinct rows and their similarities: the best of every target first, then all second best, and so on.

    Within a rank the target goes first whose row is most alike to it. O(k·T log T).

    >>> found = Matches(torch.tensor([[4, 7, 4], [5, 4, 6]]), torch.tensor([[.5, .9, .6], [.4, .8, .1]]))
    >>> interleaved(found, 4)
    (tensor([7, 4, 5, 6]), tensor([0.9000, 0.6000, 0.4000, 0.1000]))
    """
    values, order = found.values.sort(dim=1, descending=True, stable=True)
    rows, values = found.rows.gather(1, order).flatten(), values.flatten()
    by_row = rows.argsort(stable=True)
    first = torch.ones_like(rows, dtype=torch.bool)
    first[by_row[1:]] = rows[by_row[1:]] != rows[by_row[:-1]]
    return rows[first][:n], values[first][:n]


class Alike(Dissimilarity):
    """Descriptors (N, S) as items that are the farther apart the less alike they are, for `cover.k_center`.

    widths  of the blocks: what a descriptor's similarity to itself is at most; less the similarity, it is never below 0

    >>> rows = Alike(standardised(torch.tensor([[1., 2., 3.], [2., 4., 6.], [3., 2., 1.]])), (3,))
    >>> rows.squared(rows.take(torch.tensor([0]))).round()
    tensor([[0., 0., 4.]])
    """

    def __init__(self, rows: Tensor, widths: Sequence[int]) -> None:
        self.rows, self.widths = rows, tuple(widths)
        self.most = float(sum(width - 1 for width in widths))
        self.norms = rows.square().sum(1)

    def take(self, rows: Tensor) -> Alike:
        return Alike(self.rows[rows], self.widths)

    def squared(self, centres: Alike, where: slice = slice(None)) -> Tensor:
        return (self.most - centres.rows @ self.rows[where].t()).clamp_(min=0)
