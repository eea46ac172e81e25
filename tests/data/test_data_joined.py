"""Segments one behind the other: no position moves, ids are unique, batches cross the borders."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from data_files import tensors

from askwell.core.pool import Pool
from askwell.data import ArrayPool, Grown, Joined, MadePool, TextPool
from askwell.data.joined import original
from askwell.errors import BadData, BadShape, UnknownName

ROWS = np.arange(20.0, dtype=np.float32).reshape(10, 2)


def joined() -> Joined:
    """Four rows with ids, three numbered ones, a made one, two with ids."""
    first = ArrayPool(ROWS[:4], list("abcd"))
    parts = [first, ArrayPool(ROWS[4:7], like=first), MadePool(first, [ROWS[7]], 7)]
    return Joined([*parts, ArrayPool(ROWS[8:], ["y", "z"], like=first)])


def test_positions_and_ids_go_on_behind_one_another() -> None:
    pool = joined()
    assert isinstance(pool, Pool)
    keys = ["a", "b", "c", "d", "4", "5", "6", "made-7", "y", "z"]
    assert pool.keys(range(10)) == keys
    assert pool.positions(keys[::-1]).tolist() == list(range(10))[::-1]
    assert [pool.item(position).tolist() for position in range(10)] == ROWS.tolist()


@pytest.mark.parametrize("size", [1, 3, 10])
def test_batches_hold_the_rows_of_their_positions(size: int) -> None:
    positions = np.random.default_rng(0).integers(0, 10, 40)
    assert tensors(joined(), positions.tolist(), size=size).tolist() == ROWS[positions].tolist()
    assert list(joined().items("eval").batches(torch.empty(0, dtype=torch.int64), 3)) == []
    moved = joined().items("train").to("cpu")
    assert next(iter(moved.batches(torch.tensor([9, 0]), 2)))[1].tolist() == ROWS[[9, 0]].tolist()


def test_features_are_those_of_the_first_map() -> None:
    features = joined().features()
    assert features is not None
    scaled = (ROWS - ROWS[:4].mean(0)) / ROWS[:4].std(0)
    np.testing.assert_allclose(features, scaled, rtol=1e-6)


def test_pools_of_pools_are_flat() -> None:
    inner = Grown(ArrayPool(ROWS[:4]), [ROWS[4]])
    pool = Joined([inner, ArrayPool(ROWS[5:])])
    assert len(pool.pools) == 3
    assert original(pool) is inner.pools[0]
    assert pool.keys([4, 5]) == ["made-4", "5"]


def test_the_digest_follows_every_segment() -> None:
    one, two = ArrayPool(ROWS[:4]), ArrayPool(ROWS[4:])
    digests = {Joined([one, two]).digest, Joined([two, one]).digest, Joined([one]).digest, joined().digest}
    assert len(digests) == 4
    assert Joined([one, two]).digest == Joined([ArrayPool(ROWS[:4]), ArrayPool(ROWS[4:])]).digest


@pytest.mark.parametrize(("keys", "other"), [(["x", "b"], "b"), (["made-4", "x"], "made-4"), (["1", "x"], "1")])
def test_an_id_names_one_item(keys: list[str], other: str) -> None:
    before = Grown(ArrayPool(ROWS[:4], None if other == "1" else list("abcd")), [ROWS[4]])
    message = f"the pool has an item {other!r} already: give the new one another id"
    with pytest.raises(BadData, match=f"^{re.escape(message)}$"):
        Joined([before, ArrayPool(ROWS[5:7], keys)])


def test_an_unknown_id_gets_the_nearest_of_any_segment() -> None:
    pool = Joined([ArrayPool(ROWS[:4]), ArrayPool(ROWS[4:6], ["oak.png", "elm.png"])])
    with pytest.raises(UnknownName, match=r"^unknown item 'oka\.png': did you mean 'oak\.png'\?"):
        pool.positions(["oka.png"])
    with pytest.raises(UnknownName, match=r"^unknown item '4': "):
        pool.positions(["4"])


def test_other_forms_do_not_join() -> None:
    with pytest.raises(BadShape, match=r"cannot join a pool of"):
        Joined([ArrayPool(ROWS), TextPool(["a", "b"])])
