"""Images in an array: how the axes lie, and how pixels become numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form
from askwell.data.features import shrunk
from askwell.errors import BadShape

__all__ = ["Layout", "form_of", "layout_of", "small"]

Layout = Literal["vector", "grey", "channels_last", "channels_first"]
CHANNELS = (1, 3, 4)
BLOCK = 512


def layout_of(shape: tuple[int, ...]) -> Layout:
    """How an array of items lies: (N, D), (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 or 4 channels.

    >>> layout_of((100, 32, 32, 3)), layout_of((100, 3, 32, 32)), layout_of((100, 28, 28))
    ('channels_last', 'channels_first', 'grey')
    """
    if len(shape) == 2:
        return "vector"
    if len(shape) == 3:
        return "grey"
    if len(shape) == 4 and shape[3] in CHANNELS:
        return "channels_last"
    if len(shape) == 4 and shape[1] in CHANNELS:
        return "channels_first"
    raise BadShape(
        f"items of shape {shape}: vectors are (N, D), images (N, H, W), (N, H, W, C) or (N, C, H, W) "
        "with 1, 3 or 4 channels",
        got=shape,
    )


def form_of(shape: tuple[int, ...]) -> Form:
    """What one item of such an array looks like as a tensor.

    >>> form_of((100, 32, 32, 3))
    Form(kind='image', shape=(3, 32, 32), vocab=0)
    """
    layout, inner = layout_of(shape), shape[1:]
    if layout == "vector":
        return Form("vector", inner)
    if layout == "grey":
        return Form("image", (1, *inner))
    return Form("image", inner if layout == "channels_first" else (inner[2], *inner[:2]))


def small(array: NDArray[Any], positions: NDArray[np.int64] | slice) -> NDArray[np.float32]:
    """These images as flat rows of at most 32 × 32 pixels in [0, 1], read block by block."""
    chosen = np.arange(len(array))[positions]
    blocks = [shrunk(_planes(array[chosen[start : start + BLOCK]])) for start in range(0, len(chosen), BLOCK)]
    return np.concatenate(blocks)


def _planes(images: NDArray[Any]) -> NDArray[np.float32]:
    layout = layout_of(images.shape)
    if layout == "grey":
        images = images[:, None]
    elif layout == "channels_last":
        images = images.transpose(0, 3, 1, 2)
    scale = np.float32(1 if images.dtype.kind == "f" else 255)
    return np.ascontiguousarray(images, np.float32) / scale
