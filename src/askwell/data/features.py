"""Fixed vectors that no label has touched: scaled numbers, principal components of pictures, tf-idf of texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from askwell.data.keyed import Describe
from askwell.data.words import words

__all__ = ["principal", "shrunk", "standard", "tfidf"]

Rows = NDArray[np.float32]
SIDE = 32
COMPONENTS = 64
TOPICS = 128
TERMS = 50_000


def standard(rows: Rows) -> Describe:
    """Mean 0 and deviation 1 per column, by `rows` (n, D); a constant column becomes 0.

    >>> standard(np.array([[1., 5.], [3., 5.]], np.float32))(np.array([[3., 5.]], np.float32))
    array([[1., 0.]], dtype=float32)
    """
    mean = rows.mean(0, dtype=np.float64)
    spread = rows.std(0, dtype=np.float64)
    scale = np.where(spread > 0, spread, 1.0)
    return lambda more: ((more - mean) / scale).astype(np.float32)


def principal(rows: Rows) -> Describe:
    """Up to 64 principal components of flat images (n, D); randomised SVD with a fixed seed, O(n·D·64)."""
    from sklearn.decomposition import PCA

    fitted = PCA(min(COMPONENTS, *rows.shape), svd_solver="randomized", random_state=0).fit(rows)
    return lambda more: fitted.transform(more).astype(np.float32)


def tfidf(texts: Sequence[str]) -> Describe:
    """Up to 128 latent dimensions of the tf-idf of words; truncated SVD with a fixed seed."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=words, sublinear_tf=True, max_features=TERMS)
    counts = vectorizer.fit_transform(texts)
    width = min(TOPICS, counts.shape[0], counts.shape[1] - 1)
    if width < 1:
        return lambda more: vectorizer.transform(more).toarray().astype(np.float32)
    fitted = TruncatedSVD(width, random_state=0).fit(counts)
    return lambda more: fitted.transform(vectorizer.transform(more)).astype(np.float32)


def shrunk(images: Rows) -> Rows:
    """Images (n, C, H, W) as rows (n, D): blocks of pixels averaged until neither side exceeds 32.

    >>> shrunk(np.ones((1, 3, 64, 48), np.float32)).shape
    (1, 2304)
    """
    n, channels, height, width = images.shape
    step = -(-max(height, width) // SIDE)
    if step > 1 and min(height, width) >= step:
        height, width = height // step, width // step
        blocks = images[:, :, : height * step, : width * step].reshape(n, channels, height, step, width, step)
        images = blocks.mean((3, 5))
    return images.reshape(n, -1)
