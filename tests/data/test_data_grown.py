from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import photos, tensors

from askwell.core.pool import Pool
from askwell.data import ArrayPool, Grown, ImageFolderPool, TablePool, TextPool
from askwell.errors import BadData, BadShape, InputError, UnknownName
from askwell.testing.fakes import FakePool

ROWS = np.arange(8.0, dtype=np.float32).reshape(4, 2)


def grown(**changes: Any) -> Grown:
    return Grown(ArrayPool(ROWS, list("abcd")), [np.array([9.0, 9.5]), [7.0, 7.5]], **changes)


def test_made_items_come_behind_and_nothing_moves() -> None:
    pool = grown()
    assert isinstance(pool, Pool)
    assert len(pool) == 6
    assert pool.keys([0, 4, 5]) == ["a", "made-4", "made-5"]
    assert pool.positions(["made-5", "b"]).tolist() == [5, 1]
    assert pool.item(5) == [7.0, 7.5]
    assert tensors(pool, [5, 0, 4, 3], size=4).tolist() == [[7, 7.5], [0, 1], [9, 9.5], [6, 7]]


@pytest.mark.parametrize("positions", [[0, 1], [4, 5], [5, 1], [4]])
def test_batches_of_one_segment_or_both(positions: list[int]) -> None:
    whole = np.concatenate([ROWS, [[9, 9.5], [7, 7.5]]])
    assert tensors(grown(), positions, size=2).tolist() == whole[positions].tolist()


def test_it_grows_again() -> None:
    twice = Grown(grown(), [np.zeros(2)])
    assert twice.keys([5, 6]) == ["made-5", "made-6"]
    assert tensors(twice, [6, 4, 0]).tolist() == [[0, 0], [9, 9.5], [0, 1]]
    assert twice.features() is not None


def test_names_of_its_own() -> None:
    pool = grown(keys=["x", "y"])
    assert pool.positions(["y"]).tolist() == [5]
    with pytest.raises(UnknownName, match=r"^unknown item 'z': "):
        pool.positions(["z"])
    with pytest.raises(BadData, match=r"^there are 1 ids for 2 made items$"):
        grown(keys=["x"])


def test_features_of_made_items_follow_the_same_map() -> None:
    pool = Grown(ArrayPool(ROWS), [ROWS[2]])
    features = pool.features()
    assert features is not None
    np.testing.assert_allclose(features[4], features[2])
    given = ArrayPool(ROWS, features=np.ones((4, 1)))
    assert Grown(given, [ROWS[2]]).features() is None
    assert Grown(given, []).features() is given.features()


def test_made_rows_of_a_table_are_on_its_scale() -> None:
    table = TablePool(ROWS, ["a", "b"])
    pool = Grown(table, [table.features()[1]])
    features = pool.features()
    assert features is not None
    np.testing.assert_allclose(features[4], features[1])
    np.testing.assert_allclose(tensors(pool, [4]), tensors(pool, [1]))


def test_made_texts() -> None:
    pool = Grown(TextPool(["a cat", "a dog"]), ["a bird", "dog"])
    assert tensors(pool, [3, 0, 2]).tolist() == [[4, 0], [2, 3], [2, 1]]
    features = pool.features()
    assert features is not None
    assert features.shape[0] == 4
    assert pool.item(2) == "a bird"


def test_made_pictures(tmp_path: Path) -> None:
    photos(tmp_path, "0.png", "1.png", "2.png")
    pool = Grown(ImageFolderPool(tmp_path), [np.full((3, 4, 6), 0.5, np.float32)])
    assert tensors(pool, [3, 1], size=2)[:, 0, 0, 0].tolist() == pytest.approx([0.5, 10 / 255])
    assert pool.features().shape == (4, 3)  # type: ignore[union-attr]


def test_the_digest_follows_the_made_items() -> None:
    assert grown().digest == grown().digest
    assert grown().digest != Grown(ArrayPool(ROWS), [np.zeros(2)]).digest
    assert Grown(TextPool(["a", "b"]), ["c"]).digest != Grown(TextPool(["a", "b"]), ["d"]).digest


def test_a_made_item_of_another_shape() -> None:
    with pytest.raises(BadShape, match=r"^a made item has shape \(3,\), items of this pool have \(2,\)$"):
        tensors(Grown(ArrayPool(ROWS), [np.zeros(3)]))


def test_foreign_pools() -> None:
    pool = Grown(FakePool(torch.eye(3)), [np.ones(3)])
    assert tensors(pool, [3, 0]).tolist() == [[1, 1, 1], [1, 0, 0]]
    assert pool.describe([np.ones(3)]) is None
    with pytest.raises(InputError, match=r"^a FakePool of tokens cannot grow: use a pool of askwell\.data$"):
        Grown(FakePool(torch.zeros((3, 2), dtype=torch.int64)), ["a"])


def test_the_same_items_on_a_device() -> None:
    items = grown().items("eval").to("cpu")
    assert torch.equal(next(iter(items.batches(torch.tensor([5]), 1)))[1], torch.tensor([[7.0, 7.5]]))
