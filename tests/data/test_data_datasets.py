from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import Pairs, picture, tensors
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from askwell.core.pool import Form
from askwell.data import DatasetPool, TextPool, load
from askwell.errors import BadData, BadShape, InputError

ROWS = torch.arange(12.0).reshape(6, 2)
LABELS = [0, 1, 0, 1, 0, 1]


class Noisy(Dataset[tuple[Tensor, int]]):
    """The items with noise from all three global generators."""

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return ROWS[place] + torch.rand(()) + random.random() + np.random.rand(), LABELS[place]  # noqa: NPY002


def test_labels_are_taken_off() -> None:
    data = load(Pairs(ROWS, LABELS), test_size=2)
    assert isinstance(data.pool, DatasetPool)
    assert data.labels is not None
    assert data.labels.tolist() == LABELS
    assert data.classes == ("0", "1")
    assert torch.equal(tensors(data.pool), ROWS)


@pytest.mark.parametrize("labels", [torch.tensor(LABELS), np.array(LABELS), [str(label) for label in LABELS]])
def test_labels_of_all_kinds(labels: Any) -> None:
    data = load(Pairs(ROWS, labels))
    assert data.labels is not None
    assert data.labels.tolist() == LABELS


def test_items_without_labels() -> None:
    data = load(TensorDataset(ROWS), classes=["a", "b"])
    assert data.labels is None
    assert len(data.split.candidates) == 6


def test_pictures_and_their_form() -> None:
    data = load(Pairs([picture(0), picture(255)], ["x", "y"]), test_size=0)
    assert data.pool.form == Form("image", (1, 4, 6))
    assert tensors(data.pool).amax((1, 2, 3)).tolist() == [0.0, 1.0]


def test_texts() -> None:
    data = load(Pairs(["a cat", "a dog"], ["x", "y"]), test_size=0, length=1)
    assert isinstance(data.pool, TextPool)
    assert data.pool.form.shape == (1,)


def test_every_item_is_read_once() -> None:
    pairs = Pairs(ROWS, LABELS)
    data = load(pairs)
    reads = pairs.reads
    tensors(data.pool), tensors(data.pool, mode="train"), data.pool.digest, data.pool.features()
    assert pairs.reads == reads <= len(ROWS) + 2


def test_a_second_dataset_for_training() -> None:
    data = load(Pairs(ROWS, LABELS), train=Noisy())
    assert torch.equal(tensors(data.pool), ROWS)
    items = data.pool.items("train")

    def batch(seed: int) -> Tensor:
        return next(iter(items.batches(torch.arange(6), 6, torch.Generator().manual_seed(seed))))[1]

    assert torch.equal(batch(1), batch(1))
    assert not torch.equal(batch(1), batch(2))
    assert (batch(1) - ROWS).min() > 0


def test_random_transforms_leave_the_global_generators_alone() -> None:
    items = load(Pairs(ROWS, LABELS), train=Noisy()).pool.items("train")
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    for _ in items.batches(torch.arange(6), 2, torch.Generator().manual_seed(0)):
        assert torch.equal(torch.get_rng_state(), before[0])
        assert random.getstate() == before[1]
        np.testing.assert_array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002


def test_different_lengths() -> None:
    with pytest.raises(BadData, match=r"^the dataset for training has 6 items, the other has 5$"):
        load(Pairs(ROWS[:5], LABELS), train=Noisy())


def test_different_shapes() -> None:
    with pytest.raises(BadShape) as caught:
        load(Pairs([np.zeros(3), np.zeros(4)], [0, 1]))
    assert str(caught.value) == (
        "item 1 of the dataset has shape (4,), item 0 has (3,): give all one shape, such as with a resize in the "
        "dataset's transform"
    )
    pool = load(Pairs(ROWS, LABELS), train=Pairs(ROWS[:, :1], LABELS)).pool
    with pytest.raises(BadShape, match=r"^the dataset for training gave an item of shape \(1,\) instead of \(2,\)$"):
        tensors(pool, mode="train")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([], "there are no items: the dataset is empty"),
        ([(1, 2, 3)], "a dataset must yield an item or a pair (item, label), got a tuple of 3"),
        ([{"x": 1}], "a dataset must yield an item or a pair (item, label), got a dict of 1"),
        ([(object(), 1)], "a dataset must yield arrays, tensors, pictures or texts, got object"),
        ([("a", 1), (np.zeros(2), 1)], "item 1 of the dataset is a ndarray, item 0 is a text"),
    ],
)
def test_bad_datasets(dataset: list[Any], message: str) -> None:
    with pytest.raises(BadData) as caught:
        load(dataset)
    assert str(caught.value) == message


def test_options_of_other_sources_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        load(Pairs(ROWS, LABELS), encoding="utf-8")
    assert str(caught.value) == "option 'encoding' does not apply to a Pairs, which takes train, key, length"


def test_ids_may_be_listed() -> None:
    assert load(Pairs(ROWS, LABELS), key=list("abcdef")).pool.keys([5]) == ["f"]


def test_many_items_are_held_in_a_file_that_vanishes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.data.datasets.IN_MEMORY", 10)
    pool = load(Pairs(ROWS, LABELS)).pool
    assert isinstance(pool, DatasetPool)
    assert isinstance(pool.array, np.memmap)
    assert torch.equal(tensors(pool), ROWS)
    assert not [path for path in cache.iterdir() if not path.name.startswith("features")]


def test_training_items_on_a_device() -> None:
    items = load(Pairs(ROWS, LABELS), train=Pairs(ROWS + 1, LABELS)).pool.items("train").to("cpu")
    assert torch.equal(next(iter(items.batches(torch.arange(6), 6)))[1], ROWS + 1)
