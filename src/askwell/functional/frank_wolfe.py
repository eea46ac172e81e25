"""A few weighted vectors in place of the sum of all: Frank-Wolfe, and the vectors of likelihoods for ACS-FW."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import BadShape, PoolExhausted
from askwell.functional.pick import top
from askwell.functional.steps import counting
from askwell.functional.tiles import tiles, wide
from askwell.functional.uncertainty import plogp

__all__ = ["Sparse", "bayesian_coreset", "log_likelihoods"]

ROUNDING = torch.finfo(torch.float32).eps
JITTER = 1e-6
PATIENCE = 10
SHORTEST = 1e-14


class Sparse(NamedTuple):
    """What Frank-Wolfe chose.

    rows        (n,) int64: those with weight in the order in which they came in, then those that fill up
    weights     (n,) >= 0; 0 of those that fill up
    alignments  (n,) ⟨residual, v⟩ / ‖v‖ when the row came in; at the end of those that fill up
    residual    ‖sum of all vectors − weighted sum of the chosen ones‖
    """

    rows: Tensor
    weights: Tensor
    alignments: Tensor
    residual: float


def log_likelihoods(mc: Tensor, entropy: float) -> Tensor:
    """(N, K) float64: the expected log-likelihood of each item's label under each draw: an item as a vector.

    mc       (N, K, C) draws of the posterior; the label is distributed as their mean p. A probability below the
             rounding of float32 counts as that, so that a draw that excludes the label leaves the vector finite
    entropy  H(p) times this is added

    L_k = Σ_c p_c log P_kc + entropy · H(p), divided by √K, so that inner products are means over the draws. O(N·K·C).

    Pinsler et al. 2019, arXiv 1908.02144.

    >>> log_likelihoods(torch.tensor([[[.9, .1], [.1, .9]], [[.9, .1], [.9, .1]]], dtype=torch.float64), 0.0)
    tensor([[-0.8513, -0.8513],
            [-0.2299, -0.2299]], dtype=torch.float64)
    """
    if mc.ndim != 3 or not mc.is_floating_point():
        got = f"shape {tuple(mc.shape)} and type {mc.dtype}"
        raise BadShape(f"expected a floating-point tensor (N, K, C), got {got}", got=tuple(mc.shape))
    out = torch.empty(mc.shape[:2], dtype=torch.float64, device=mc.device)
    for where in tiles(len(mc), mc.shape[1] * mc.shape[2], mc.device):
        draws = wide(mc[where])
        mean = draws.mean(1)
        expected = (draws.clamp(min=ROUNDING).log_() @ mean[:, :, None])[:, :, 0]
        out[where] = expected - entropy * plogp(mean).sum(1, keepdim=True)
    return out.div_(mc.shape[1] ** 0.5)


def bayesian_coreset(vectors: Tensor, n: int, key: Tensor) -> Sparse:
    """Picks n rows of which few, weighted, come near to the sum of all: long ones that differ from each other.

    vectors  (N, J) float64
    key      (N,): of equally aligned rows the one with the lower key goes first

    An iteration moves weight to the row that is best aligned with the residual, by the step that shortens it most; it
    never grows. A row may come in again, so rows are fewer than iterations: it ends with n rows, after 10·n iterations,
    or when no step shortens the residual. The rows that are then best aligned with it fill up. O(N·J) per iteration,
    memory O(N·J).

    Frank and Wolfe 1956, doi:10.1002/nav.3800030109; Campbell and Broderick 2019, arXiv 1710.05053.

    >>> rows = torch.tensor([[1., 0.], [1., 0.], [0., 1.], [.5, .5]], dtype=torch.float64)
    >>> bayesian_coreset(rows, 2, torch.arange(4))
    Sparse(rows=tensor([3, 0]), weights=tensor([2.9277, 0.9938]...), alignments=tensor([2.8284, 0.5000]...), ...)
    """
    if not 1 <= n <= len(vectors):
        raise PoolExhausted(n, len(vectors))
    walk, told = _Walk(vectors, key.to(vectors.device)), counting(n)
    for _ in range(PATIENCE * n):
        told(len(walk.came))
        if len(walk.came) == n or not walk.step():
            break
    told(n)
    return walk.result(n)


class _Walk:
    """Frank-Wolfe over the polytope of Σ ‖v‖ times each unit vector; `came` holds each chosen row's first alignment."""

    def __init__(self, vectors: Tensor, key: Tensor) -> None:
        lengths = vectors.square().sum(1).add_(JITTER).sqrt_()
        self.unit, self.key = vectors / lengths[:, None], key
        self.lengths, self.whole = lengths, float(lengths.sum())
        self.wanted = vectors.sum(0)
        self.residual = self.wanted.clone()
        self.weights = torch.zeros_like(lengths)
        self.came: dict[int, float] = {}

    def step(self) -> bool:
        """One iteration; False where no step shortens the residual."""
        alignment = self._alignment()
        row = int(top(alignment, 1, self.key))
        direction = self.whole * self.unit[row] - (self.wanted - self.residual)
        ahead = float(direction @ self.residual)
        if ahead <= SHORTEST * float(self.wanted @ self.wanted):
            return False
        size = min(1.0, ahead / float(direction @ direction))
        self.weights *= 1 - size
        self.weights[row] += size * self.whole / self.lengths[row]
        self.residual -= size * direction
        if size == 1:
            self.came = {}
        self.came.setdefault(row, float(alignment[row]))
        return True

    def result(self, n: int) -> Sparse:
        """The rows that came in, and those that fill up."""
        came = torch.tensor(list(self.came), dtype=torch.int64, device=self.key.device)
        left = self._alignment().index_fill_(0, came, -torch.inf)
        rest = top(left, n, self.key)[: n - len(came)]
        first = left.new_tensor(list(self.came.values()))
        rows = torch.cat([came, rest])
        return Sparse(rows, self.weights[rows], torch.cat([first, left[rest]]), float(self.residual.norm()))

    def _alignment(self) -> Tensor:
        return self.unit @ self.residual
