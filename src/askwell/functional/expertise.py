"""How often each annotator is right about each class, where strength is shared between annotators."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import BadShape, InputError

__all__ = ["DIRICHLET", "dirichlet", "expertise", "with_accuracies"]

DIRICHLET = (4.0, 1.0)
"""Counts that every annotator is credited with per class: right answers, and each wrong one."""


def dirichlet(classes: int, right: float = DIRICHLET[0], wrong: float = DIRICHLET[1]) -> Tensor:
    """(C, C) float64 prior counts of a confusion matrix.

    >>> dirichlet(2)
    tensor([[4., 1.],
            [1., 4.]], dtype=torch.float64)
    """
    same = torch.eye(classes, dtype=torch.float64)
    return right * same + wrong * (1 - same)


def expertise(confusion: Tensor, rank: int) -> Tensor:
    """(A, C) accuracies σ(u_aᵀ v_c) by the nearest log-odds of this rank; confusion (A, C, C), rows that sum to one.

    Annotators who are good at the same classes lend each other strength. With a rank of min(A, C) or more the diagonals
    stay as they are. One singular value decomposition, O(A·C·min(A, C)).

    >>> matrix = torch.tensor([[[.9, .1], [.2, .8]], [[.6, .4], [.3, .7]]])
    >>> expertise(matrix, 2)
    tensor([[0.9000, 0.8000],
            [0.6000, 0.7000]])
    """
    if confusion.ndim != 3 or confusion.shape[1] != confusion.shape[2]:
        raise BadShape(f"confusion has shape {tuple(confusion.shape)} instead of (A, C, C)", got=tuple(confusion.shape))
    if rank < 1:
        raise InputError(f"rank must be at least 1, got {rank}", got=rank)
    u, s, v = torch.linalg.svd(confusion.diagonal(dim1=1, dim2=2).logit(1e-6), full_matrices=False)
    odds: Tensor = (u[:, :rank] * s[:rank]) @ v[:rank]
    return odds.sigmoid()


def with_accuracies(confusion: Tensor, accuracies: Tensor) -> Tensor:
    """(A, C, C) the matrices with these diagonals (A, C); mistakes keep their proportions."""
    diagonal = confusion.diagonal(dim1=1, dim2=2)
    mistakes = confusion - torch.diag_embed(diagonal)
    scale = (1 - accuracies) / (1 - diagonal).clamp(min=torch.finfo(confusion.dtype).tiny)
    return mistakes * scale[:, :, None] + torch.diag_embed(accuracies)
