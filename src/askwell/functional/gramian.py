"""Windows of a signal as pictures: Gramian angular summation fields."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import BadShape, InputError

__all__ = ["gramian_field"]


def gramian_field(windows: Tensor, side: int | None = None) -> Tensor:
    """(n, S, S) fields of windows (n, T), in [-1, 1]: entry (i, j) is cos(φ_i + φ_j), φ = arccos of the scaled window.

    side  S: the window is first averaged over S equal spans, S ≤ T; None: S = T
    Each window is scaled to [-1, 1] by its own least and largest value; a constant one becomes zeros, whose field is -1
    on every side. Computed as x_i·x_j − √(1−x_i²)·√(1−x_j²), without the arccos. O(n·(T + S²)).

    Wang & Oates 2015, "Imaging time-series to improve classification and imputation", arXiv 1506.00327.

    >>> gramian_field(torch.tensor([[2.0, 3.0, 4.0]])) + 0.0
    tensor([[[ 1.,  0., -1.],
             [ 0., -1.,  0.],
             [-1.,  0.,  1.]]])
    """
    if windows.ndim != 2 or not windows.shape[1]:
        raise BadShape(f"windows have shape {tuple(windows.shape)} instead of (n, T)", got=tuple(windows.shape))
    above = windows - windows.amin(1, keepdim=True)
    x = _scaled(_spans(above, windows.shape[1] if side is None else side))
    across = (1 - x.square()).clamp(min=0).sqrt()
    return x[:, :, None] * x[:, None, :] - across[:, :, None] * across[:, None, :]


def _spans(windows: Tensor, side: int) -> Tensor:
    length = windows.shape[1]
    if not 1 <= side <= length:
        raise InputError(f"side of a field must lie between 1 and the window's {length} samples, got {side}", got=side)
    return windows if side == length else torch.nn.functional.adaptive_avg_pool1d(windows[:, None], side)[:, 0]


def _scaled(windows: Tensor) -> Tensor:
    """Each row from -1 to 1; zeros where it is constant."""
    low, high = windows.aminmax(dim=1, keepdim=True)
    spread = high - low
    scaled = 2 * (windows - low) / torch.where(spread > 0, spread, torch.ones_like(spread)) - 1
    return torch.where(spread > 0, scaled, torch.zeros_like(scaled)).clamp(-1, 1)
