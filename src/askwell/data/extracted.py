"""Fixed features from a frozen model that lies in a folder on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Pool
from askwell.data.cache import kept
from askwell.data.digest import of_parts
from askwell.data.tokenised import Tokenised, token_rows

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.models.folder import ModelFolder

__all__ = ["Extracted", "is_folder"]

log = logging.getLogger("askwell")

ROWS = 64
LENGTH = 128


@dataclass(frozen=True)
class Extracted:
    """The embeddings that a saved model gives to items, (N, D) float32; its weights stay as they are.

    path    of a folder in the format of Hugging Face, for texts or pictures: see `models.folder`
    length  tokens per text, at most

    One pass over the pool, in batches, on the accelerator if there is one; kept in the cache by the content of pool and
    folder, so that a second run computes nothing.
    """

    path: str
    length: int = LENGTH

    @cached_property
    def folder(self) -> ModelFolder:
        """The opened folder; raises `BadData` for one that is not there or not whole."""
        from askwell.models.folder import ModelFolder

        return ModelFolder(Path(self.path))

    @property
    def digest(self) -> str:
        """Hex hash of all that the features of an item depend on beside the item."""
        return of_parts("extracted", self.folder.digest, str(self.length))

    def check(self, form: Form) -> None:
        """Raises `BadData` unless the model takes items of this form."""
        self.folder.check(form)
        if form.kind == "tokens":
            self.folder.longest(self.length)

    def rows(self, pool: Pool, cache: Path | None) -> NDArray[np.float32]:
        """(N, D) embeddings of all items."""
        name = of_parts(pool.digest, repr(pool.form), self.digest)[:32]
        return kept(cache, f"extracted-{name}", len(pool), lambda: self._blocks(pool, cache))

    def describe(self, payloads: Sequence[str] | Tensor) -> NDArray[np.float32]:
        """(m, D) embeddings of texts, or of pictures (m, channels, height, width) in [0, 1]."""
        import torch

        embed = _embedding(self.folder)
        x = payloads if isinstance(payloads, torch.Tensor) else torch.from_numpy(self._tokens(payloads))
        return np.concatenate([embed(x[start : start + ROWS]) for start in range(0, len(x), ROWS)])

    def _tokens(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return self.folder.encode(texts, self.folder.longest(self.length)).astype(np.int64)

    def _blocks(self, pool: Pool, cache: Path | None) -> Iterator[NDArray[np.float32]]:
        import torch

        log.info("computing features of %d items with the model in %s", len(pool), self.path)
        embed = _embedding(self.folder)
        for _, batch in self._items(pool, cache).batches(torch.arange(len(pool)), ROWS):
            yield embed(batch)

    def _items(self, pool: Pool, cache: Path | None) -> Items:
        if self.folder.modality == "image":
            return pool.items("eval")
        length = self.folder.longest(self.length)
        rows = token_rows(pool, self.folder.encode, length, self.folder.digest, cache)
        return Tokenised(pool, rows, self.folder.vocabulary + 1).items("eval")


def is_folder(given: Any) -> bool:
    """Whether features are given as a folder rather than as numbers or a file of them.

    >>> is_folder(np.zeros((2, 3))), is_folder("features.npy")
    (False, False)
    """
    return isinstance(given, str | Path) and Path(given).is_dir()


def _embedding(folder: ModelFolder) -> Callable[[Tensor], NDArray[np.float32]]:
    """The folder's encoder as a function; building it moves no global generator."""
    import torch

    from askwell.models.pretrained import Encoder
    from askwell.training.chance import lend

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with lend(torch.Generator().manual_seed(0)):
        encoder = Encoder(folder).eval().to(device)

    def embed(x: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            rows: NDArray[np.float32] = encoder(x.to(device)).float().cpu().numpy()
            return rows

    return embed
