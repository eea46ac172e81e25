from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askwell.core.seeds import Seeds
from askwell.data import Split
from askwell.data.labels import encode
from askwell.data.split import CANDIDATE, TEST, VALIDATION, Sizes, divide, stratified
from askwell.errors import BadData, BadLabel, InputError

LABELS = np.repeat([0, 1, 2], [60, 30, 10])
PARTS = np.repeat([CANDIDATE, VALIDATION, TEST], [60, 20, 20]).astype(np.int8)


def counts(positions: np.ndarray) -> list[int]:
    return np.bincount(LABELS[positions], minlength=3).tolist()


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.data())
def test_strata_keep_their_shares(labels: list[int], data: st.DataObject) -> None:
    strata = np.array(labels)
    n = data.draw(st.integers(0, len(labels)))
    chosen = stratified(strata, np.arange(len(labels)), n, np.random.default_rng(n))
    assert len(chosen) == len(set(chosen.tolist())) == n
    assert (np.diff(chosen) > 0).all()
    for stratum in set(labels):
        exact = n * (strata == stratum).sum() / len(labels)
        assert abs((strata[chosen] == stratum).sum() - exact) < 1


def test_every_item_of_a_class_is_drawn_alike() -> None:
    drawn = np.zeros(9)
    for seed in range(600):
        chosen = stratified(np.repeat([0, 1], [6, 3]), np.arange(9), 3, np.random.default_rng(seed))
        drawn[chosen] += 1
    assert (np.abs(drawn - 200) < 60).all()


def test_a_fifth_is_the_test_where_the_data_bring_none() -> None:
    split = divide(100, LABELS, None, Sizes(), Seeds(0))
    assert counts(split.test) == [12, 6, 2]
    assert counts(split.candidates) == [48, 24, 8]
    assert not len(split.validation)


def test_sizes_are_counts_or_shares() -> None:
    split = divide(100, LABELS, None, Sizes(pool=20, test=0.1, validation=10), Seeds(0))
    assert (counts(split.test), counts(split.validation), counts(split.candidates)) == (
        [6, 3, 1], [6, 3, 1], [12, 6, 2],
    )  # fmt: skip


def test_the_parts_of_the_data_are_kept() -> None:
    split = divide(100, LABELS, PARTS, Sizes(), Seeds(0))
    assert split.candidates.tolist() == list(range(60))
    assert split.test.tolist() == list(range(80, 100))
    assert not len(split.validation)
    smaller = divide(100, LABELS, PARTS, Sizes(pool=6, test=10, validation=0.5), Seeds(0))
    assert [len(role) for role in vars(smaller).values()] == [6, 10, 10]
    assert (smaller.candidates < 60).all()
    assert ((smaller.validation >= 60) & (smaller.validation < 80)).all()
    assert (smaller.test >= 80).all()


def test_the_seed_decides_and_only_the_seed() -> None:
    one, same, other = (divide(100, LABELS, None, Sizes(pool=50), Seeds(seed)) for seed in (1, 1, 2))
    for role in vars(one):
        np.testing.assert_array_equal(getattr(one, role), getattr(same, role))
    assert one.test.tolist() != other.test.tolist()


def test_a_smaller_pool_leaves_the_test_alone() -> None:
    whole, part = (divide(100, LABELS, None, Sizes(pool=size), Seeds(0)) for size in (None, 10))
    assert whole.test.tolist() == part.test.tolist()
    assert set(part.candidates.tolist()) < set(whole.candidates.tolist())


def test_unlabelled_items_are_never_measured_on() -> None:
    labels = np.where(np.arange(100) % 2 == 0, LABELS, -1)
    split = divide(100, labels, None, Sizes(test=30, validation=10), Seeds(0))
    assert (labels[split.test] >= 0).all()
    assert (labels[split.validation] >= 0).all()
    assert not len(divide(100, None, None, Sizes(), Seeds(0)).test)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (Sizes(pool=81), "pool_size must be at most 80, the number of items there are, got 81"),
        (Sizes(test=101), "test_size must be at most 100, the number of items there are, got 101"),
        (Sizes(test=1.5), "test_size must be a count or a share below 1, got 1.5"),
        (Sizes(test=-1), "test_size must be a count or a share below 1, got -1"),
        (Sizes(validation=True), "validation_size must be a count or a share below 1, got True"),
    ],
)
def test_sizes_that_cannot_be(sizes: Sizes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        divide(100, LABELS, None, sizes, Seeds(0))
    assert str(caught.value) == message


def test_no_candidates() -> None:
    with pytest.raises(InputError, match=r"^no candidates are left: make test_size or validation_size smaller, or "):
        divide(100, LABELS, None, Sizes(test=100), Seeds(0))


def test_roles_are_disjoint_and_ascending() -> None:
    none = np.empty(0, np.int64)
    with pytest.raises(BadData, match=r"^a split gives one role to every item, item 1 has two$"):
        Split(np.array([0, 1]), np.array([1]), none)
    with pytest.raises(BadData, match=r"^positions of a split must be ascending$"):
        Split(np.array([1, 0]), none, none)


@pytest.mark.parametrize(
    ("labels", "classes", "codes", "names"),
    [
        (["b", "a10", "a9"], None, [2, 1, 0], ("a9", "a10", "b")),
        ([3, 1, 3, -1], None, [1, 0, 1, -1], ("1", "3")),
        (np.array([0.0, 2.0, np.nan]), None, [0, 1, -1], ("0", "2")),
        (["x", None, "", "y"], ["y", "x"], [1, -1, -1, 0], ("y", "x")),
        ([0, 1], ["live", "dead"], [0, 1], ("live", "dead")),
        (["1", "0"], ["live", "dead"], [1, 0], ("live", "dead")),
        ([7, 3], ["3", "7"], [1, 0], ("3", "7")),
        ([True, False], None, [1, 0], ("False", "True")),
    ],
)
def test_labels_to_indices(labels: Any, classes: list[str] | None, codes: list[int], names: tuple[str, ...]) -> None:
    found, known = encode(labels, classes)
    assert (found.tolist(), known) == (codes, names)
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        (
            ["cta", "dog"], ["cat", "dog"], BadLabel,
            "label 'cta' is none of the 2 classes: did you mean 'cat'? Known: cat, dog",
        ),
        ([0, 2], ["cat", "dog"], BadLabel, "label '2' is none of the 2 classes: Known: cat, dog"),
        (
            [0.5, 1.0], None, BadLabel,
            "label 0.5 is neither a name nor a whole number: for numbers give task='regression'",
        ),
        ([-2, 1], ["cat", "dog"], BadLabel, "label '-2' is none of the 2 classes: Known: cat, dog"),
        (["a", "a"], None, BadData, "all labels are 'a': at least two classes are needed (-1 means unknown)"),
        ([1, -1], None, BadData, "all labels are '1': at least two classes are needed (-1 means unknown)"),
        (["a"], ["a"], BadData, "classes must be two or more different names, got a"),
        (["a"], ["a", "a"], BadData, "classes must be two or more different names, got a, a"),
        (["a"], "ab", BadData, "classes must be a list of names, got the text 'ab'"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit(labels: Any, classes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        encode(labels, classes)
    assert str(caught.value) == message
