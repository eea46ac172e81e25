"""Fixed vectors that no label has touched: scaled numbers, principal components of pictures, tf-idf of texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.words import words

__all__ = ["Principal", "Standard", "Topics", "principal", "shrunk", "shrunk_shape", "standard", "tfidf"]

Rows = NDArray[np.float32]
SIDE = 32
COMPONENTS = 64
TOPICS = 128
TERMS = 50_000


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean 0 and deviation 1 per column: (x − mean) / scale, both (D,) float64."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def __call__(self, rows: Rows) -> Rows:
        return ((rows - self.mean) / self.scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Principal:
    """Projection of rows (n, D) around their mean (D,) on components (K, D)."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    def __call__(self, rows: Rows) -> Rows:
        across = self.components.T
        return np.asarray(rows @ across - self.mean[None] @ across, np.float32)


@dataclass(frozen=True, eq=False)
class Topics:
    """Texts by the tf-idf of T terms, idf (T,), projected on components (K, T); as they are where K is 0."""

    terms: tuple[str, ...]
    idf: NDArray[np.float64]
    components: NDArray[np.float64]

    def __call__(self, texts: Iterable[str]) -> Rows:
        weights = self._vectorizer.transform(texts)
        found = weights @ self.components.T if len(self.components) else weights.toarray()
        return np.asarray(found, np.float32)

    @cached_property
    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        made = TfidfVectorizer(analyzer=words, sublinear_tf=True, vocabulary=self.terms)
        made.idf_ = self.idf
        return made


def standard(rows: Rows) -> Standard:
    """Mean 0 and deviation 1 per column, by `rows` (n, D); a constant column becomes 0.

    >>> standard(np.array([[1., 5.], [3., 5.]], np.float32))(np.array([[3., 5.]], np.float32))
    array([[1., 0.]], dtype=float32)
    """
    mean = rows.mean(0, dtype=np.float64)
    spread = rows.std(0, dtype=np.float64)
    return Standard(mean, np.where(spread > 0, spread, 1.0))


def principal(rows: Rows) -> Principal:
    """Up to 64 principal components of flat images (n, D); randomised SVD with a fixed seed, O(n·D·64)."""
    from sklearn.decomposition import PCA

    fitted = PCA(min(COMPONENTS, *rows.shape), svd_solver="randomized", random_state=0).fit(rows)
    return Principal(fitted.mean_, fitted.components_)


def tfidf(texts: Iterable[str]) -> Topics:
    """Up to 128 latent dimensions of the tf-idf of words; truncated SVD with a fixed seed."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=words, sublinear_tf=True, max_features=TERMS)
    counts = vectorizer.fit_transform(texts)
    width = min(TOPICS, counts.shape[0], counts.shape[1] - 1)
    components = np.empty((0, counts.shape[1]))
    if width > 0:
        components = TruncatedSVD(width, random_state=0).fit(counts).components_
    return Topics(tuple(vectorizer.get_feature_names_out().tolist()), vectorizer.idf_, components)


def shrunk_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of an image of this shape once it is shrunk.

    >>> shrunk_shape((3, 64, 48)), shrunk_shape((1, 28, 28))
    ((3, 32, 24), (1, 28, 28))
    """
    channels, height, width = shape
    step = _block(height, width)
    return channels, height // step, width // step


def shrunk(images: Rows) -> Rows:
    """Images (n, C, H, W) as rows (n, D): blocks of pixels averaged until neither side exceeds 32.

    >>> shrunk(np.ones((1, 3, 64, 48), np.float32)).shape
    (1, 2304)
    """
    n, step = len(images), _block(*images.shape[2:])
    channels, height, width = shrunk_shape(images.shape[1:])
    if step > 1:
        blocks = images[:, :, : height * step, : width * step].reshape(n, channels, height, step, width, step)
        images = blocks.mean((3, 5))
    return images.reshape(n, -1)


def _block(height: int, width: int) -> int:
    """Side of the blocks of pixels that become one."""
    step = -(-max(height, width) // SIDE)
    return step if min(height, width) >= step else 1
