"""Texts as words, and words as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "PADDING", "UNKNOWN", "Vocabulary", "shared_numbers", "words"]

PADDING, UNKNOWN = 0, 1
BUCKETS = 1 << 14
"""Shared numbers of words lie below this."""
WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")


def words(text: str) -> list[str]:
    """Words and punctuation marks in lower case.

    >>> words("It's 5 o'clock, Jürgen!")
    ["it's", '5', "o'clock", ',', 'jürgen', '!']
    """
    return WORD.findall(text.lower())


class Vocabulary:
    """The most frequent words of some texts: 0 is padding, 1 an unknown word, the rest by falling frequency.

    longest  words of the longest of these texts
    The texts are read once, O(total words), and need not be held.

    >>> vocabulary = Vocabulary(["a cat", "a dog"], 100)
    >>> vocabulary.encode(["a bird"], 3).tolist()
    [[2, 1, 0]]
    """

    def __init__(self, texts: Iterable[str], size: int) -> None:
        counts: Counter[str] = Counter()
        self.longest = 0
        for text in texts:
            found = words(text)
            self.longest = max(self.longest, len(found))
            counts.update(found)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        self.ids = {word: place for place, word in enumerate(ranked[: max(size - 2, 0)], start=2)}

    @classmethod
    def of(cls, known: Sequence[str]) -> Vocabulary:
        """The vocabulary of these words, numbered from 2 in their order."""
        made = cls((), 0)
        made.ids = {word: place for place, word in enumerate(known, start=2)}
        return made

    def __len__(self) -> int:
        return len(self.ids) + 2

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int32]:
        """(n, length) word ids; longer texts are cut, shorter ones padded."""
        rows = np.zeros((len(texts), length), np.int32)
        for row, text in zip(rows, texts, strict=True):
            found = [self.ids.get(word, UNKNOWN) for word in words(text)[:length]]
            row[: len(found)] = found
        return rows


def shared_numbers(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """(V,) numbers of a vocabulary's tokens that are the same for a word in every vocabulary: its hash in [2, 16384).

    Padding and the unknown word stay 0 and 1. O(V).

    >>> one, other = Vocabulary(["a cat"], 9), Vocabulary(["the cat"], 9)
    >>> shared_numbers(one).tolist(), shared_numbers(other).tolist()
    ([0, 1, 1085, 14018], [0, 1, 14018, 4130])
    """
    numbers = np.arange(len(vocabulary), dtype=np.int64)
    for word, token in vocabulary.ids.items():
        numbers[token] = 2 + crc32(word.encode()) % (BUCKETS - 2)
    return numbers
