"""Values as text and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askwell.errors import InputError
from askwell.store.packing import canonical, label, pack, unpack

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(TREES)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert unpack(pack(value)) == value
    assert unpack(canonical(value)) == value


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint64, np.bool_, np.complex64, "<U3"])
def test_arrays_keep_type_and_shape(dtype: Any) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    found = unpack(pack([{"a": array}]))[0]["a"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


def test_tensors_come_back_as_arrays() -> None:
    weights = torch.ones(2, 3, requires_grad=True)
    assert np.array_equal(unpack(pack(weights)), np.ones((2, 3), np.float32))


def test_a_pickle_is_never_written() -> None:
    with pytest.raises(InputError, match=r"^only JSON, arrays and tensors can be stored, got ndarray$"):
        pack(np.array([object()]))


def test_labels_from_numpy_and_torch_are_plain() -> None:
    assert label(np.array([1, 2])) == label([1, 2]) == label(torch.tensor([1, 2])) == "[1,2]"
    assert label({"mask": np.array([3, 4], np.uint8)}) == '{"mask":[3,4]}'
