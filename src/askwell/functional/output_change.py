"""How much the label of an item would change the outputs of a Gaussian process for other items."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import BadShape, InputError, NotFinite
from askwell.functional.distance import Space
from askwell.functional.kernels import Kernel
from askwell.functional.tiles import tiles

__all__ = ["expected_output_change"]


def expected_output_change(
    space: Space, reference: Space, known: Space, targets: Tensor, kernel: Kernel, noise: float
) -> Tensor:
    """Σ_y p(y) · mean over reference items r of |f₊(r) − f(r)|, summed over outputs; (N,) >= 0 in the type of `space`.

    space      N candidates; reference (R items) and known (M labelled items) lie in the same space
    targets    (M, T) of −1 and 1; a process of its own for each output, all with this kernel, k(x, x) = 1
    noise      variance of the labels about the process, above 0

    With posterior mean μ, variance v and covariance s(r, x), a label y moves r by s(r, x)·(y − μ) / (v + noise), and it
    is 1 with probability Φ(μ / √(v + noise)), else −1. O(M³ + N·(M + R)·(M + D)) time, memory O(N + M² + R·M).

    Freytag, Rodner and Denzler 2014, doi:10.1007/978-3-319-10593-2_37.

    >>> from askwell.functional.distance import Points
    >>> from askwell.functional.kernels import Gaussian
    >>> line = Points(torch.tensor([[0.], [.5], [2.], [4.]]))
    >>> known = line.take(torch.tensor([0]))
    >>> expected_output_change(line, line, known, torch.ones(1, 1), Gaussian(2**.5), .1)
    tensor([0.0300, 0.1348, 0.3072, 0.2585])
    """
    if targets.ndim != 2 or len(targets) != len(known):
        raise BadShape(f"expected targets ({len(known)}, T), got {tuple(targets.shape)}", got=tuple(targets.shape))
    process = _Process(known, targets, kernel, noise)
    there, everywhere = process.whitened(reference, slice(None)).t(), _all(reference)
    out = torch.empty_like(space.norms)
    for where in tiles(len(space), len(known) + len(reference), out.device):
        here = process.whitened(space, where)
        variance = (1 - here.square().sum(0)).clamp_(min=0).add_(noise)
        moved = kernel(space, everywhere, where).sub_(there @ here).abs_().mean(0)
        out[where] = _surprise(process.mean(here), variance) * moved / variance
    return out


class _Process:
    """Gaussian process with M known items, by the inverse Cholesky factor of their kernel matrix."""

    def __init__(self, known: Space, targets: Tensor, kernel: Kernel, noise: float) -> None:
        self.centres, self.kernel = _all(known), kernel
        alike = kernel(known, self.centres, slice(None))
        root = _inverse_root((alike + alike.t()).double() / 2, noise)
        self.root = root.to(alike.dtype)
        self.outputs = (root @ targets.to(root)).t().to(alike.dtype)

    def whitened(self, space: Space, where: slice) -> Tensor:
        """(M, n): its inner products are what the known items explain of the kernel."""
        return self.root @ self.kernel(space, self.centres, where)

    def mean(self, whitened: Tensor) -> Tensor:
        """(T, n) posterior means."""
        return self.outputs @ whitened


def _inverse_root(alike: Tensor, noise: float) -> Tensor:
    """(M, M) lower triangular: the inverse of the Cholesky factor of alike + noise · I."""
    if not bool(alike.isfinite().all()):
        raise NotFinite("labelled items hold NaN or infinity")
    one = torch.eye(len(alike), dtype=alike.dtype, device=alike.device)
    factor, failed = torch.linalg.cholesky_ex(alike + noise * one)
    if bool(failed):
        raise InputError(f"noise is {noise}: too little for labelled items that lie this close together", got=noise)
    root: Tensor = torch.linalg.solve_triangular(factor, one, upper=False)
    return root


def _all(space: Space) -> Space:
    return space.take(torch.arange(len(space), device=space.norms.device))


def _surprise(mean: Tensor, variance: Tensor) -> Tensor:
    """(n,) expected |y − μ| of a label that is 1 with probability Φ(μ / √variance) and −1 else, over all outputs."""
    positive = torch.special.ndtr(mean / variance.sqrt())
    apart: Tensor = positive * (1 - mean).abs() + (1 - positive) * (1 + mean).abs()
    return apart.sum(0)
