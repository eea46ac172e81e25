"""Texts as the tokenizer of a model numbers them, in place of the pool's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Items, Mode, Pool
from askwell.data.cache import kept
from askwell.data.digest import of_parts
from askwell.errors import BadData

if TYPE_CHECKING:
    from askwell.data.tensors import Gathered

__all__ = ["Encode", "Tokenised", "token_rows"]

Encode = Callable[[Sequence[str], int], NDArray[np.int32]]
"""n texts and a length to rows (n, length) int32: token + 1, and 0 where a text has ended."""
BLOCK = 2048


class Tokenised:
    """A pool of texts with other rows; everything else is the pool's own.

    rows  (N, length) int32, mostly a memory map: nothing is copied when the pool is read

    >>> from askwell.data import TextPool
    >>> pool = Tokenised(TextPool(["a b", "c"]), np.array([[5, 6], [7, 0]], np.int32), vocab=9)
    >>> pool.form, pool.item(1)
    (Form(kind='tokens', shape=(2,), vocab=9), 'c')
    """

    def __init__(self, pool: Pool, rows: NDArray[np.int32], vocab: int) -> None:
        self.pool, self.rows = pool, rows
        self.form = Form("tokens", (rows.shape[1],), vocab)

    def __len__(self) -> int:
        return len(self.pool)

    @property
    def digest(self) -> str:
        """That of the pool: the items are the same."""
        return self.pool.digest

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The user's own ids."""
        return self.pool.keys(positions)

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where the user's ids are; an unknown one raises `UnknownName`."""
        return self.pool.positions(keys)

    def item(self, position: int) -> Any:
        """The text as it was given."""
        return self.pool.item(position)

    def items(self, mode: Mode) -> Items:
        """Rows of tokens; both modes are alike."""
        return self._items

    def features(self) -> NDArray[np.float32] | None:
        """The pool's fixed vectors."""
        return self.pool.features()

    @property
    def _items(self) -> Gathered:
        from askwell.data import tensors

        return tensors.Gathered(tensors.shared(self.rows), tensors.tokens)


def token_rows(pool: Pool, encode: Encode, length: int, content: str, cache: Path | None = None) -> NDArray[np.int32]:
    """(N, L) tokens of all texts, L ≤ length that of the longest; O(N) once, then from the cache.

    content  hash of the tokenizer
    Raises `BadData` for items that are no texts.
    """
    name = of_parts("tokens", pool.digest, content, str(length))[:32]
    rows: NDArray[np.int32] = kept(cache, f"tokens-{name}", len(pool), lambda: _blocks(pool, encode, length))
    return rows[:, : max(1, int(rows.any(0).sum()))]


def _blocks(pool: Pool, encode: Encode, length: int) -> Iterator[NDArray[np.int32]]:
    for start in range(0, len(pool), BLOCK):
        yield encode([_text(pool, place) for place in range(start, min(start + BLOCK, len(pool)))], length)


def _text(pool: Pool, position: int) -> str:
    text = pool.item(position)
    if not isinstance(text, str):
        raise BadData(f"a model of texts takes texts, and item {position} is a {type(text).__name__}", got=text)
    return text
