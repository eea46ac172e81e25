"""Random changes of image batches (n, channels, height, width) that keep the label; every draw by a generator."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from askwell.errors import BadShape

__all__ = ["cutout", "flip", "jitter", "shift", "warp"]


def shift(x: Tensor, reach: int, rng: Generator) -> Tensor:
    """Each image moved by up to `reach` pixels both ways, zeros moving in.

    >>> x = torch.ones(1, 1, 2, 2)
    >>> torch.equal(shift(x, 0, torch.Generator()), x)
    True
    """
    n, _, height, width = _image(x)
    padded = nn.functional.pad(x, (reach,) * 4)
    down, right = torch.randint(0, 2 * reach + 1, (2, n), generator=rng).to(x.device)
    rows = (down[:, None] + torch.arange(height, device=x.device))[:, :, None]
    columns = (right[:, None] + torch.arange(width, device=x.device))[:, None, :]
    item = torch.arange(n, device=x.device)[:, None, None]
    return padded[item, :, rows, columns].permute(0, 3, 1, 2).contiguous()


def flip(x: Tensor, rng: Generator) -> Tensor:
    """Each image mirrored left to right with probability 1/2.

    >>> bool((flip(torch.arange(2.0).view(1, 1, 1, 2), torch.Generator().manual_seed(0)).sum() == 1))
    True
    """
    n, *_ = _image(x)
    heads = (torch.rand(n, generator=rng) < 0.5).to(x.device)
    return torch.where(heads[:, None, None, None], x.flip(3), x)


def cutout(x: Tensor, side: int, rng: Generator) -> Tensor:
    """Each image with one square of `side` pixels set to zero, centred anywhere, cut off at the border.

    DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout", arXiv 1708.04552.

    >>> cutout(torch.ones(1, 1, 3, 3), 6, torch.Generator().manual_seed(0)).sum()
    tensor(0.)
    """
    n, _, height, width = _image(x)
    hidden = _span(n, height, side, rng)[:, :, None] & _span(n, width, side, rng)[:, None, :]
    return x.masked_fill(hidden[:, None].to(x.device), 0.0)


def warp(x: Tensor, rng: Generator, turn: float = 0.2, scale: float = 0.2, move: float = 0.1) -> Tensor:
    """Each image moved, turned about its middle and stretched, bilinear, zeros moving in.

    turn  by up to so many radians either way; scale: height and width each by a factor from 1 − scale to 1 + scale;
    move  by up to this share of height and width

    >>> x = torch.ones(2, 1, 4, 4)
    >>> torch.allclose(warp(x, torch.Generator(), 0.0, 0.0, 0.0), x)
    True
    """
    n, *_ = _image(x)
    if not n:
        return x
    draws = 2 * torch.rand(5, n, generator=rng) - 1
    angle, (high, wide) = turn * draws[0], 1 + scale * draws[1:3]
    rows = torch.stack(
        [
            torch.stack([angle.cos() / wide, -angle.sin() / wide, 2 * move * draws[3]], 1),
            torch.stack([angle.sin() / high, angle.cos() / high, 2 * move * draws[4]], 1),
        ],
        1,
    )
    grid = nn.functional.affine_grid(rows.to(x), list(x.shape), align_corners=False)
    changed: Tensor = nn.functional.grid_sample(x, grid, align_corners=False)
    return changed


def jitter(x: Tensor, rng: Generator, contrast: float = 0.4, brightness: float = 0.2) -> Tensor:
    """Each image's contrast, by a factor from 1 − contrast to 1 + contrast about its mean, and its brightness changed.

    Images stay in [0, 1].

    >>> x = torch.full((1, 1, 2, 2), 0.5)
    >>> torch.equal(jitter(x, torch.Generator(), 0.4, 0.0), x)
    True
    """
    n, *_ = _image(x)
    draws = (2 * torch.rand(2, n, 1, 1, 1, generator=rng) - 1).to(x.device)
    mean = x.mean((1, 2, 3), keepdim=True)
    return (mean + (1 + contrast * draws[0]) * (x - mean) + brightness * draws[1]).clamp(0, 1)


def _span(n: int, length: int, side: int, rng: Generator) -> Tensor:
    """(n, length) bool: which rows, or columns, a square of this side covers."""
    start = torch.randint(0, length, (n, 1), generator=rng) - side // 2
    place = torch.arange(length)
    return (place >= start) & (place < start + side)


def _image(x: Tensor) -> torch.Size:
    if x.ndim != 4:
        raise BadShape(f"images have shape {tuple(x.shape)} instead of (n, channels, height, width)", got=x.shape)
    return x.shape
