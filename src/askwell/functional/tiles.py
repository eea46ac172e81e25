"""Walking over many rows a few at a time, so that what is computed on the way stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from askwell.errors import BadShape

__all__ = ["matrix_product", "rowwise", "tiles", "wide"]

CPU_ELEMENTS = 1 << 17
GPU_ELEMENTS = 1 << 25


def tiles(n: int, width: int, device: torch.device) -> Iterator[slice]:
    """Consecutive slices of n rows; `width` numbers are held per row, half a megabyte of float32 per tile on a CPU.

    >>> list(tiles(5, 1 << 16, torch.device("cpu")))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    rows = max(1, (CPU_ELEMENTS if device.type == "cpu" else GPU_ELEMENTS) // max(1, width))
    for start in range(0, n, rows):
        yield slice(start, min(n, start + rows))


def rowwise(rows: Tensor, kernel: Callable[[Tensor], Tensor], shape: str) -> Tensor:
    """(N,) values of a kernel that maps a tile (n, …) to (n,); half precision is computed in float32.

    `shape` names the axes, such as "(N, C)"; a tensor of another rank or of integers raises `BadShape`. A memory map
    streams: nothing of the size of the rows is allocated.
    """
    if rows.ndim != shape.count(",") + 1 or not rows.is_floating_point():
        got = f"shape {tuple(rows.shape)} and type {rows.dtype}"
        raise BadShape(f"expected a floating-point tensor {shape}, got {got}", got=tuple(rows.shape))
    out = torch.empty(len(rows), dtype=rows.dtype, device=rows.device)
    for where in tiles(len(rows), rows[0].numel() if len(rows) else 1, rows.device):
        out[where] = kernel(wide(rows[where]))
    return out


def wide(rows: Tensor) -> Tensor:
    """The rows in float32 where they are narrower, else as they are."""
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows


def matrix_product(a: Tensor, b: Tensor) -> Tensor:
    """(m, d) times (d, n). With one row on a CPU by numpy's BLAS, which reads twice as fast there.

    >>> matrix_product(torch.tensor([[1., 2.]]), torch.tensor([[3.], [4.]]))
    tensor([[11.]])
    """
    if a.device.type == "cpu" and len(a) == 1:
        return torch.from_numpy(b.numpy().T @ a.numpy()[0])[None]
    return a @ b
