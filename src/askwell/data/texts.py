"""Texts, as words numbered by a vocabulary of the candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode
from askwell.data.cache import gather, kept
from askwell.data.digest import of_parts, of_texts
from askwell.data.features import tfidf
from askwell.data.keyed import Describe, KeyedPool, Raw
from askwell.data.keys import Keys, keys_for
from askwell.data.strings import chosen
from askwell.data.words import Vocabulary
from askwell.errors import BadData

if TYPE_CHECKING:
    from torch import Tensor

    from askwell.data.tensors import Gathered

__all__ = ["TextPool"]

IN_MEMORY = 64 << 20
BLOCK = 2048


class TextPool(KeyedPool):
    """Texts as rows of word ids: 0 padding, 1 a word that no candidate has.

    length  words per text, at most; a pool of shorter texts has shorter rows
    vocab   size of the vocabulary, at most: the most frequent words of the candidates
    The texts are not copied: a sequence that reads them from a file is never held whole. Tokenised once, O(total
    words), into the cache beyond 64 MiB of word ids. Features: up to 128 latent dimensions of tf-idf.

    >>> pool = TextPool(["a cat", "a dog", "a bird"], fit_on=np.array([0, 1]))
    >>> pool.form
    Form(kind='tokens', shape=(2,), vocab=5)
    >>> pool.tokens.tolist()
    [[2, 3], [2, 4], [2, 1]]
    """

    kind: ClassVar[str] = "texts"
    vocabulary: Vocabulary

    def __init__(
        self,
        texts: Sequence[str],
        keys: Sequence[str] | Keys | None = None,
        *,
        length: int = 64,
        vocab: int = 20_000,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        if not len(texts):
            raise BadData("there are no items: the list of texts is empty")
        self.texts = texts
        super().__init__(keys_for(len(texts), keys), fit_on, features, cache, like)
        if isinstance(like, TextPool):
            self.vocabulary, self.form = like.vocabulary, like.form
            return
        self.vocabulary = Vocabulary(self._raw(self._fit_on), vocab)
        self.form = Form("tokens", (max(1, min(length, self.vocabulary.longest)),), len(self.vocabulary))

    @cached_property
    def digest(self) -> str:
        return of_texts(self.texts)

    def item(self, position: int) -> str:
        """The text as it was given."""
        return str(self.texts[position])

    def items(self, mode: Mode) -> Items:
        return self._items

    @cached_property
    def tokens(self) -> NDArray[np.int32]:
        """(N, length) word ids."""
        if 4 * len(self) * self.form.shape[0] <= IN_MEMORY:
            return gather(len(self), self._tokenised())
        name = of_parts("words", str(self.form.shape), self.digest, of_texts(self.vocabulary.ids))
        return kept(self._cache, f"words-{name[:32]}", len(self), self._tokenised)

    @cached_property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        return tensors.Gathered(tensors.shared(self.tokens), tensors.tokens)

    def rows_of(self, payloads: Sequence[Any]) -> Tensor:
        """Made texts as word ids (m, length)."""
        import torch

        return torch.from_numpy(self.vocabulary.encode(self._raw_of(payloads), *self.form.shape).astype(np.int64))

    def _raw(self, positions: NDArray[np.int64] | slice) -> Raw:
        return self.texts[positions] if isinstance(positions, slice) else chosen(self.texts, positions)

    def _raw_of(self, payloads: Sequence[Any]) -> Raw:
        for payload in payloads:
            if not isinstance(payload, str):
                raise BadData(f"a made item of a pool of texts must be a text, got {type(payload).__name__}")
        return list(payloads)

    def _fit(self, candidates: Raw) -> Describe:
        return tfidf(candidates)

    def _tokenised(self) -> Iterator[NDArray[np.int32]]:
        for start in range(0, len(self), BLOCK):
            yield self.vocabulary.encode(self.texts[start : start + BLOCK], *self.form.shape)
