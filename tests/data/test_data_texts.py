from __future__ import annotations

import numpy as np
import pytest
import torch
from data_files import tensors
from hypothesis import given
from hypothesis import strategies as st

from askwell.core.pool import Form, Pool
from askwell.data import TextPool
from askwell.data.digest import of_texts
from askwell.data.words import Vocabulary
from askwell.errors import BadData

TEXTS = ["The cat sat.", "the dog sat", "A zebra ran away from the lion", ""]


def test_words_of_other_items_are_unknown() -> None:
    pool = TextPool(TEXTS, fit_on=np.array([0, 1]))
    assert isinstance(pool, Pool)
    assert pool.form == Form("tokens", (4,), 7)
    assert pool.vocabulary.ids == {"sat": 2, "the": 3, ".": 4, "cat": 5, "dog": 6}
    batch = tensors(pool)
    assert batch.dtype == torch.int64
    assert batch.tolist() == [[3, 5, 2, 4], [3, 6, 2, 0], [1, 1, 1, 1], [0, 0, 0, 0]]


def test_length_and_size_of_the_vocabulary_are_limits() -> None:
    pool = TextPool(TEXTS, length=2, vocab=4)
    assert pool.form == Form("tokens", (2,), 4)
    assert tensors(pool, [0]).tolist() == [[2, 1]]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.integers(1, 9), st.integers(2, 9))
def test_tokens_stay_within_the_form(texts: list[str], length: int, vocab: int) -> None:
    pool = TextPool(texts, length=length, vocab=vocab)
    assert pool.tokens.shape == (len(texts), *pool.form.shape)
    assert pool.form.vocab <= vocab
    assert pool.tokens.max(initial=0) < pool.form.vocab


def test_ties_of_frequency_are_broken_by_the_alphabet() -> None:
    assert Vocabulary(["b a", "c"], 100).ids == Vocabulary(["c", "a b"], 100).ids == {"a": 2, "b": 3, "c": 4}


def test_texts_are_tokenised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = TextPool(TEXTS)
    first = tensors(pool)
    monkeypatch.setattr(Vocabulary, "encode", lambda *args: pytest.fail("tokenised again"))
    assert torch.equal(tensors(pool, mode="train"), first)


def test_digest_separates_texts() -> None:
    assert of_texts(["ab", "c"]) != of_texts(["a", "bc"]) != of_texts(["abc"])
    assert TextPool(TEXTS).digest == TextPool(TEXTS, list("abcd"), fit_on=np.array([0])).digest


def test_features_are_fitted_on_the_candidates() -> None:
    texts = [f"{animal} {verb}" for animal in ("cat", "dog", "cow") for verb in ("ran", "sat", "ate", "hid")]
    pool = TextPool([*texts, "unheard words"], fit_on=np.arange(12))
    features = pool.features()
    assert features.dtype == np.float32
    assert features.shape == (13, 6)
    assert not features[12].any()
    same_animal = features[0] @ features[1]
    assert same_animal > features[0] @ features[6]


def test_features_of_one_word() -> None:
    assert TextPool(["a", "a", "a a"]).features().shape == (3, 1)


def test_made_texts_use_the_vocabulary() -> None:
    pool = TextPool(TEXTS, fit_on=np.array([0, 1]))
    assert pool.rows_of(["the lion sat"]).tolist() == [[3, 1, 2, 0]]
    with pytest.raises(BadData, match=r"^a made item of a pool of texts must be a text, got int$"):
        pool.rows_of([7])


def test_no_texts() -> None:
    with pytest.raises(BadData, match=r"^there are no items: the list of texts is empty$"):
        TextPool([])
