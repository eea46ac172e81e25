"""Items that are loaded like a pool are served and described exactly as that pool would have served them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import photos, tensors

from askwell.core.pool import Pool
from askwell.data import ArrayPool, Grown, ImageFolderPool, TablePool, TextPool, load
from askwell.errors import BadData, BadShape, InputError, UnknownName
from askwell.testing.fakes import FakePool

ROWS = np.random.default_rng(0).normal(3, 2, (40, 3)).astype(np.float32)
TEXTS = [f"the {word} {n}" for n in range(8) for word in ("cat", "dog", "bird")]


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def served(pool: Pool, rows: slice = slice(None)) -> torch.Tensor:
    return tensors(pool, list(range(len(pool)))[rows])


def test_texts_have_the_words_and_the_length_of_the_pool(cache: Path) -> None:
    whole = TextPool(TEXTS, fit_on=np.arange(12))
    part = load(TEXTS[12:], like=TextPool(TEXTS[:12])).pool
    assert part.form == whole.form
    assert torch.equal(served(part), served(whole, slice(12, None)))
    np.testing.assert_array_equal(part.features(), whole.features()[12:])  # type: ignore[index]


def test_rows_of_a_table_have_its_columns_by_name_and_its_scale(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    base = load(pd.DataFrame(ROWS[:30], columns=["a", "b", "c"])).pool
    frame = pd.DataFrame(ROWS[30:][:, [2, 0, 1]], columns=["c", "a", "b"]).assign(note="x")
    part = load(frame, like=base).pool
    assert part.columns == ("a", "b", "c")  # type: ignore[attr-defined]
    expected = (ROWS[30:] - ROWS[:30].mean(0)) / ROWS[:30].std(0)
    np.testing.assert_allclose(served(part), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UnknownName, match=r"'b'"):
        load(frame.drop(columns="b"), like=base)


def test_columns_of_a_pool_may_stand_in_another_order() -> None:
    base = TablePool(ROWS, ["a", "b", "c"])
    part = TablePool(ROWS[:, ::-1], ["c", "b", "a"], like=base)
    assert torch.equal(served(part), served(base))
    with pytest.raises(UnknownName, match=exactly("unknown column 'c': Known: a, b, x")):
        TablePool(ROWS, ["a", "b", "x"], like=base)


def test_pictures_have_the_size_and_the_colours_of_the_pool(tmp_path: Path, cache: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    photos(tmp_path / "one", "0.png", "1.png")
    photos(tmp_path / "two", "2.png")
    base = ImageFolderPool(tmp_path / "one", size=(3, 5))
    part = load(tmp_path / "two", like=base).pool
    assert part.form == base.form
    assert served(part).shape == (1, *base.form.shape)
    assert part.features().shape[1] == base.features().shape[1]  # type: ignore[union-attr]


def test_arrays_keep_the_scale_of_the_features() -> None:
    base = ArrayPool(ROWS[:30])
    part = load(ROWS[30:], like=base).pool
    np.testing.assert_array_equal(part.features(), ArrayPool(ROWS, fit_on=np.arange(30)).features()[30:])  # type: ignore[index]
    assert torch.equal(served(part), torch.from_numpy(ROWS[30:]))


def test_features_in_the_cache_are_apart_by_the_pool_that_they_are_like(cache: Path) -> None:
    found = [load(TEXTS[12:], like=TextPool(TEXTS[:n])).pool.features() for n in (12, 9, 12)]
    assert not np.array_equal(found[0], found[1])  # type: ignore[arg-type]
    np.testing.assert_array_equal(found[0], found[2])  # type: ignore[arg-type]


def test_like_a_pool_that_has_grown() -> None:
    base = TextPool(TEXTS)
    assert load(["a cat"], like=Grown(base, ["a dog"])).pool.is_like(base)  # type: ignore[attr-defined]


def test_all_items_are_candidates_and_none_is_held_out() -> None:
    data = load(ROWS, labels=[0, 1] * 20, classes=["x", "y"], like=ArrayPool(ROWS[:4]))
    assert data.split.candidates.tolist() == list(range(40))
    assert len(data.split.test) == len(data.split.validation) == 0
    message = "'test_size' does not apply to items that are loaded `like` a pool: none are held out"
    with pytest.raises(InputError, match=exactly(message)):
        load(ROWS, test_size=4, like=ArrayPool(ROWS[:4]))


def test_labels_of_one_class_are_enough_where_the_classes_are_named() -> None:
    data = load(ROWS, labels=["y"] * 40, classes=["x", "y"], like=ArrayPool(ROWS[:4]))
    assert set(data.labels.tolist()) == {1}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "like", "error", "message"),
    [
        (TEXTS, ArrayPool(ROWS), BadData, "these items are texts, and those of the pool are arrays"),
        (
            ROWS,
            TablePool(ROWS, list("abc")),
            BadData,
            "these items are arrays, and those of the pool are rows of a table",
        ),
        (
            ROWS[:, :2],
            ArrayPool(ROWS),
            BadShape,
            "these items have the form Form(kind='vector', shape=(2,), vocab=0), "
            "those of the pool Form(kind='vector', shape=(3,), vocab=0)",
        ),
        (
            ROWS[:, :2],
            FakePool(torch.zeros(2, 3)),
            BadShape,
            "these items have the form Form(kind='vector', shape=(2,), vocab=0), "
            "those of the pool Form(kind='vector', shape=(3,), vocab=0)",
        ),
        (
            ROWS,
            ArrayPool(ROWS, features=ROWS),
            BadData,
            "features were given for the items of the pool: give `features` for these items too",
        ),
        (
            ArrayPool(ROWS),
            ArrayPool(ROWS[:4]),
            BadData,
            "these items were loaded by themselves: load them again with like=<the pool that they join>",
        ),
    ],
)
def test_items_of_another_kind_are_refused(source: Any, like: Pool, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=exactly(message)):
        load(source, like=like)


def test_given_features_are_of_one_width() -> None:
    base = ArrayPool(ROWS, features=ROWS)
    assert load(ROWS, features=ROWS + 1, like=base).pool.features().tolist() == (ROWS + 1).tolist()  # type: ignore[union-attr]
    with pytest.raises(BadShape, match=exactly("features of these items have width 2, those of the pool have 3")):
        load(ROWS, features=ROWS[:, :2], like=base)
    message = "features were given for these items, and not for those of the pool: leave them out"
    with pytest.raises(BadData, match=exactly(message)):
        load(ROWS, features=ROWS, like=ArrayPool(ROWS))


def test_data_that_were_loaded_alike_are_taken_and_others_refused() -> None:
    base = load(TEXTS, classes=["x", "y"])
    again = load(TEXTS, classes=["x", "y"])
    part = load(["a cat"], like=again.pool, classes=["x", "y"])
    assert load(part, like=base.pool) is part
    with pytest.raises(BadData, match=r"^these items were loaded by themselves: "):
        load(load(["a cat", "b"]), like=base.pool)
