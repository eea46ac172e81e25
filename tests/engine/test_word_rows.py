"""Words as numbers that mean the same in every pool."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from askwell.data import ArrayPool, TextPool
from askwell.data.grown import Grown
from askwell.data.words import BUCKETS, Vocabulary, shared_numbers
from askwell.engine.word_rows import word_rows
from askwell.errors import UnmetNeeds


def test_a_word_has_one_number_in_every_pool() -> None:
    one = TextPool(["the cat sat", "a dog"])
    other = TextPool(["a red cat"])
    cat = word_rows(one, torch.tensor([0]))[0, 1]
    assert cat == word_rows(other, torch.tensor([0]))[0, 2]
    assert cat >= 2


def test_rows_follow_the_ids_and_made_items_have_words_too() -> None:
    pool = Grown(TextPool(["a cat", "a dog"]), ["dog"])
    rows = word_rows(pool, torch.tensor([2, 1]))
    assert rows[0, 0] == rows[1, 1]
    assert rows[0, 1] == 0


def test_numbers_stay_below_the_size_of_the_table() -> None:
    numbers = shared_numbers(Vocabulary([" ".join(f"w{place}" for place in range(3000))], 5000))
    assert numbers[:2].tolist() == [0, 1]
    assert numbers[2:].min() >= 2
    assert numbers.max() < BUCKETS
    assert len(np.unique(numbers)) > 2500


def test_what_is_no_text_has_no_words() -> None:
    with pytest.raises(UnmetNeeds, match=r"have no words: give texts$"):
        word_rows(ArrayPool(np.eye(2)), torch.tensor([0]))
