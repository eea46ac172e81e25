"""A Gaussian over the weights of a last linear layer, by Laplace's method at the weights that were fitted.

One covariance Σ (D, D) for every class, or one of all weights (C·D, C·D), classes first. Σ is kept by a root R with
Σ = R Rᵀ. Embeddings z (n, D) that end in a 1 have the bias as their last weight. Float64 throughout.

MacKay 1992, doi:10.1162/neco.1992.4.3.448; last layer: Kristiadi, Hein and Hennig 2020, arXiv 2002.10118; updates by
single labels: Herde et al. 2022, arXiv 2210.06112.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from askwell.functional.fisher import Fishers

__all__ = ["drawn_weights", "full_precision", "probit", "root_of_inverse", "shared_precision", "updated", "variance"]


def shared_precision(z: Tensor, prior: float) -> Tensor:
    """(D, D): prior·I + Σ z zᵀ; a row that counts c times is given as √c·z. O(n·D²).

    >>> shared_precision(torch.tensor([[1., 0.], [1., 1.]]), 1.0)
    tensor([[3., 1.],
            [1., 2.]], dtype=torch.float64)
    """
    rows = z.double()
    return rows.t() @ rows + prior * torch.eye(rows.shape[1], dtype=torch.float64)


def full_precision(p: Tensor, z: Tensor, prior: float) -> Tensor:
    """(C·D, C·D): prior·I + Σ (diag p − p pᵀ) ⊗ z zᵀ, with probabilities p (n, C). O(n·(C·D)²).

    >>> full_precision(torch.tensor([[.5, .5]]), torch.tensor([[2.]]), 1.0)
    tensor([[ 2., -1.],
            [-1.,  2.]], dtype=torch.float64)
    """
    fishers = Fishers(p.double(), z.double(), torch.eye(p.shape[1], dtype=torch.float64))
    return fishers.mean() * len(p) + prior * torch.eye(fishers.width, dtype=torch.float64)


def root_of_inverse(precision: Tensor) -> Tensor:
    """(D, D) upper triangular R with R Rᵀ = precision⁻¹. O(D³).

    >>> root = root_of_inverse(torch.tensor([[3., 1.], [1., 2.]], dtype=torch.float64))
    >>> root @ root.t()
    tensor([[ 0.4000, -0.2000],
            [-0.2000,  0.6000]], dtype=torch.float64)
    """
    lower = torch.linalg.cholesky(precision)
    identity = torch.eye(len(lower), dtype=lower.dtype)
    inverse: Tensor = torch.linalg.solve_triangular(lower, identity, upper=False)
    return inverse.t().contiguous()


def drawn_weights(weight: Tensor, root: Tensor, noise: Tensor) -> Tensor:
    """(C, D) weights drawn around `weight` (C, D) by standard normal `noise` (C, D); root (D, D) or (C·D, C·D).

    >>> drawn_weights(torch.zeros(2, 1), torch.tensor([[3.]]), torch.tensor([[1.], [-1.]]))
    tensor([[ 3.],
            [-3.]])
    """
    if len(root) == weight.shape[1]:
        return weight + noise @ root.t()
    return weight + (root @ noise.flatten()).view_as(weight)


def variance(z: Tensor, root: Tensor) -> Tensor:
    """(n,) zᵀ Σ z: how uncertain the logit of one class is, of a shared covariance with root (D, D). O(n·D²).

    >>> variance(torch.tensor([[1., 1.], [2., 0.]]), torch.eye(2))
    tensor([2., 4.])
    """
    return (z.to(root) @ root).square().sum(1)


def probit(logits: Tensor, variances: Tensor) -> Tensor:
    """(n, C) softmax(logits / √(1 + π·v/8)), about the mean of the draws' probabilities; variances v (n,).

    >>> probit(torch.tensor([[1., 0.]]), torch.tensor([.6]))
    tensor([[0.7109, 0.2891]])
    """
    return (logits / (1 + math.pi / 8 * variances).sqrt()[:, None]).softmax(1)


def updated(
    weight: Tensor, covariance: Tensor, z: Tensor, label: int, curvature: float = 1.0, step: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Weights (C, D) and shared covariance (D, D) after one more item z (D,) with this label. O(D² + C·D).

    curvature  what the item counts in the precision; step of the weights along their gradient

    >>> updated(torch.zeros(2, 1), torch.eye(1), torch.ones(1), 0)
    (tensor([[ 0.2500],
            [-0.2500]]), tensor([[0.5000]]))
    """
    moved = covariance @ z
    covariance = covariance - torch.outer(moved, moved) * curvature / (1 + curvature * (z @ moved))
    wrong = -(weight @ z).softmax(0)
    wrong[label] += 1
    return weight + step * torch.outer(wrong, covariance @ z), covariance
