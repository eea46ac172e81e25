"""Small data that train in a moment."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def blobs() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Three classes of 100 points each in the plane."""
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [4, 0], [0, 4]], dtype=np.float32)
    labels = np.repeat(np.arange(3), 100)
    return (centres[labels] + rng.normal(size=(300, 2))).astype(np.float32), labels


@pytest.fixture
def boxes() -> tuple[NDArray[np.uint8], list[list[float]]]:
    """Bright rectangles on dark 16 x 16 images."""
    rng = np.random.default_rng(0)
    images, labels = np.zeros((240, 16, 16), np.uint8), []
    for image in images:
        x0, y0 = rng.integers(0, 8, 2)
        width, height = rng.integers(5, 8, 2)
        image[y0 : y0 + height, x0 : x0 + width] = 255
        labels.append([x0 / 16, y0 / 16, (x0 + width) / 16, (y0 + height) / 16])
    return images, labels
