from __future__ import annotations

import pickle
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import tensors
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from askwell.core.pool import Form, Pool
from askwell.data import ArrayPool
from askwell.errors import BadData, BadShape, NotFinite, UnknownName

PIXELS = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


class Ops(TorchDispatchMode):
    """Counts what torch executes."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_it_is_a_pool() -> None:
    assert isinstance(ArrayPool(np.eye(3)), Pool)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (PIXELS, PIXELS.transpose(0, 3, 1, 2) / np.float32(255)),
        (PIXELS.transpose(0, 3, 1, 2), PIXELS.transpose(0, 3, 1, 2) / np.float32(255)),
        (PIXELS[..., 0].copy(), PIXELS[:, None, :, :, 0] / np.float32(255)),
        (PIXELS[..., 0] / np.float32(255), PIXELS[:, None, :, :, 0] / np.float32(255)),
        (np.array([[1.5, -2.0]]), np.array([[1.5, -2.0]], np.float32)),
        (np.array([[300, 7]], np.int64), np.array([[300, 7]], np.float32)),
        (np.array([[60000, 7]], np.uint16), np.array([[60000, 7]], np.float32)),
    ],
    ids=["channels last", "channels first", "grey", "float image", "doubles", "integers", "uint16"],
)
def test_every_layout_is_served_as_its_form_says(array: np.ndarray, expected: np.ndarray) -> None:
    pool = ArrayPool(array)
    batch = tensors(pool)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous()
    assert pool.form.shape == tuple(batch.shape[1:])
    np.testing.assert_array_equal(batch.numpy(), expected)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 7))
def test_batches_follow_the_positions(positions: list[int], size: int) -> None:
    pool = ArrayPool(np.arange(20.0).reshape(10, 2))
    places: list[int] = []
    for where, batch in pool.items("eval").batches(torch.tensor(positions, dtype=torch.int64), size):
        assert 1 <= len(batch) <= size
        assert batch[:, 0].tolist() == [2.0 * place for place in positions[where]]
        places += range(where.start, where.stop)
    assert places == list(range(len(positions)))


def test_one_batch_costs_one_index_and_one_conversion() -> None:
    vectors, images = ArrayPool(np.zeros((9, 4), np.float32)), ArrayPool(np.zeros((9, 4, 4), np.uint8))
    ids = torch.tensor([1, 5])
    for pool, wanted in ((vectors, {"index_select": 1}), (images, {"index_select": 1, "_to_copy": 1, "div_": 1})):
        items = pool.items("eval")
        with Ops() as ops:
            next(iter(items.batches(ids, 2)))
        views = {"slice", "unsqueeze", "alias", "detach"}
        assert {name: count for name, count in ops.counts.items() if name not in views} == wanted


def test_rows_are_shared_and_cached_per_device() -> None:
    array = np.zeros((3, 2), np.float32)
    pool = ArrayPool(array)
    items = pool.items("train")
    assert items.rows.data_ptr() == array.ctypes.data
    assert pool.items("eval") is items
    assert items.to("cpu").rows is items.rows
    meta = items.to("meta").rows
    assert pool.items("eval").to("meta").rows is meta


def test_a_read_only_array_is_served_without_a_warning() -> None:
    array = np.ones((2, 2), np.float32)
    array.flags.writeable = False
    assert tensors(ArrayPool(array)).sum() == 4


def test_a_memory_map_is_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(6.0, dtype=np.float32).reshape(3, 2))
    pool = ArrayPool(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert isinstance(pool.array, np.memmap)
    assert tensors(pool, [2]).tolist() == [[4.0, 5.0]]
    assert pool.digest == ArrayPool(np.arange(6.0, dtype=np.float32).reshape(3, 2)).digest


def test_items_for_people_are_copies() -> None:
    pool = ArrayPool(PIXELS)
    shown = pool.item(1)
    np.testing.assert_array_equal(shown, PIXELS[1])
    shown[:] = 0
    assert PIXELS[1].any()


def test_the_digest_depends_on_content_type_and_shape_only() -> None:
    same = [ArrayPool(np.eye(3)).digest, ArrayPool(np.eye(3), ["a", "b", "c"]).digest]
    others = [ArrayPool(np.eye(3, dtype=np.float32)).digest, ArrayPool(np.eye(3)[::-1]).digest]
    assert len({*same}) == 1
    assert len({*same, *others}) == 3


def test_the_digest_is_a_hash_of_type_shape_and_bytes() -> None:
    wanted = blake2b(b"('<f8', '(2, 2)')" + np.eye(2).tobytes(), digest_size=32).hexdigest()
    assert ArrayPool(np.eye(2)).digest == wanted


def test_keys() -> None:
    pool = ArrayPool(np.eye(3), ["b", "a", "c"])
    assert pool.keys([2, 0]) == ["c", "b"]
    assert pool.positions(["a", "b"]).tolist() == [1, 0]
    numbered = ArrayPool(np.eye(3))
    assert numbered.keys(np.array([0, 2])) == ["0", "2"]
    assert numbered.positions(["2"]).tolist() == [2]


@pytest.mark.parametrize(
    ("keys", "asked", "message"),
    [
        (["cell-1", "cell-2", "cell-3"], "cell-22", "unknown item 'cell-22': did you mean 'cell-2'? Known: "),
        (list("abcdefgh"), "none", "unknown item 'none': Known: a, b, c, d, e, …"),
        (None, "3", "unknown item '3': Known: "),
        (None, "01", "unknown item '01': "),
        (None, "-1", "unknown item '-1': "),
    ],
)
def test_an_unknown_key_offers_the_nearest(keys: list[str] | None, asked: str, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        ArrayPool(np.eye(len(keys or range(3))), keys).positions([asked])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.array(["a"]), BadData, "items must be numbers, got an array of type <U1"),
        (np.empty((0, 3)), BadData, "there are no items: the array is empty"),
        (
            np.zeros((2, 5, 6, 7)),
            BadShape,
            "items of shape (2, 5, 6, 7): vectors are (N, D), images (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 "
            "or 4 channels",
        ),
        (
            np.array([[1.0, 2.0], [np.nan, 0.0], [0.0, np.inf]]),
            NotFinite,
            "items: NaN or infinity in 2 of 3 rows, the first are 1, 2",
        ),
        (
            np.array([[np.inf, -np.inf], [np.inf, np.inf], [0.0, 0.0]]),
            NotFinite,
            "items: NaN or infinity in 2 of 3 rows, the first are 0, 1",
        ),
    ],
)
def test_bad_arrays(array: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        ArrayPool(array)
    assert str(caught.value) == message


def test_ids_are_given_once_and_for_all() -> None:
    with pytest.raises(BadData, match=r"^ids: 'a' names 2 items, every id must name one$"):
        ArrayPool(np.eye(3), ["a", "b", "a"])
    with pytest.raises(BadData, match=r"^there are 2 ids for 3 items$"):
        ArrayPool(np.eye(3), ["a", "b"])


def test_vector_features_are_scaled_by_the_candidates_alone() -> None:
    rows = np.array([[0.0, 5.0], [2.0, 5.0], [100.0, 7.0]])
    pool = ArrayPool(rows, fit_on=np.array([0, 1]))
    np.testing.assert_allclose(pool.features(), [[-1, 0], [1, 0], [99, 2]])
    assert pool.features().dtype == np.float32


def test_image_features_are_principal_components_of_the_candidates(cache: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 8, 8)).astype(np.uint8)
    candidates = np.arange(20)
    found = ArrayPool(images, fit_on=candidates).features()
    flat = images.reshape(30, -1) / 255
    centred = flat - flat[:20].mean(0)
    _, _, axes = np.linalg.svd(centred[:20], full_matrices=False)
    np.testing.assert_allclose(np.abs(found[:, :3]), np.abs(centred @ axes[:3].T), atol=1e-4)
    assert found.shape == (30, 20)
    other = np.concatenate([images[:20], images[:10]])
    np.testing.assert_allclose(ArrayPool(other, fit_on=candidates).features()[:20], found[:20], atol=1e-5)
    assert len(list(cache.glob("features-*.npy"))) == 2


def test_features_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8)).astype(np.uint8)
    first = ArrayPool(images).features()
    monkeypatch.setattr("askwell.data.arrays.principal", lambda rows: pytest.fail("fitted again"))
    np.testing.assert_array_equal(ArrayPool(images).features(), first)


def test_given_features_replace_the_computed_ones() -> None:
    given_rows = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(ArrayPool(np.eye(3), features=given_rows).features(), given_rows)
    with pytest.raises(BadShape, match=r"^features must be numbers of shape \(3, D\), got int64 \(2, 2\)$"):
        ArrayPool(np.eye(3), features=np.arange(4).reshape(2, 2))
    with pytest.raises(NotFinite, match=r"^features: NaN or infinity in 1 of 3 rows, the first are 2$"):
        ArrayPool(np.eye(3), features=np.array([[0.0], [1.0], [np.nan]]))


def test_large_images_are_averaged_before_projection() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 70, 96, 3)).astype(np.uint8)
    assert ArrayPool(images).features().shape == (5, 5)


def test_it_travels_to_another_process() -> None:
    pool = ArrayPool(PIXELS, ["a", "b"])
    pool.items("eval"), pool.features()
    again = pickle.loads(pickle.dumps(pool))
    assert again.form == Form("image", (3, 4, 5))
    assert torch.equal(tensors(again), tensors(pool))
    assert len(pickle.dumps(pool)) < 5000
