"""Texts as numbers that mean the same word in every pool."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.core.pool import Pool
from askwell.data.joined import original
from askwell.data.texts import TextPool
from askwell.data.words import shared_numbers
from askwell.errors import UnmetNeeds

__all__ = ["word_rows"]

ROWS = 4096


def word_rows(pool: Pool, ids: Tensor) -> Tensor:
    """(n, L) int64 numbers of the words of these items, 0 for padding; raises `UnmetNeeds` for what is no text.

    >>> word_rows(TextPool(["a cat", "cat"]), torch.tensor([1, 0])).tolist()
    [[14018, 0], [1085, 14018]]
    """
    first = original(pool)
    if not isinstance(first, TextPool):
        raise UnmetNeeds(f"items of the form {pool.form} have no words: give texts", ["words"])
    numbers = torch.from_numpy(shared_numbers(first.vocabulary))
    return torch.cat([numbers[tokens] for _, tokens in pool.items("eval").batches(ids, ROWS)])
