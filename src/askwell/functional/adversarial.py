"""Losses of a discriminator between labelled and unlabelled items, and of an encoder that fools it.

Logits (n,) are positive for "labelled".
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["fooling", "telling"]


def telling(labelled: Tensor, unlabelled: Tensor) -> Tensor:
    """What the discriminator minimises: cross-entropy with 1 for labelled and 0 for unlabelled, mean over each side.

    >>> import torch
    >>> telling(torch.tensor([9.0]), torch.tensor([-9.0])) < telling(torch.tensor([-9.0]), torch.tensor([9.0]))
    tensor(True)
    """
    return _towards(labelled, 1) + _towards(unlabelled, 0)


def fooling(labelled: Tensor, unlabelled: Tensor) -> Tensor:
    """What the encoder minimises: cross-entropy with 1 on both sides, mean over each side."""
    return _towards(labelled, 1) + _towards(unlabelled, 1)


def _towards(logits: Tensor, side: int) -> Tensor:
    """Cross-entropy with a constant target, 0 for no logits: softplus(-a) towards 1, softplus(a) towards 0."""
    losses = nn.functional.softplus(-logits if side else logits)
    return losses.sum() / max(1, len(losses))
