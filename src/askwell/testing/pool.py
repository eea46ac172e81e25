"""What every pool promises. A check takes a function that makes the pool afresh, and the hidden labels, if any.

The function must pickle (a module-level function, or `functools.partial` of one): one check calls it in a new process.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from askwell.core.pool import Mode, Pool
from askwell.errors import UnknownName
from askwell.testing.check import Check, check, elsewhere, global_generators, pinned_generators, raises

__all__ = [
    "CHECKS",
    "check_batches_cover_the_positions",
    "check_digest_follows_the_content",
    "check_eval_items_repeat_exactly",
    "check_features_are_one_row_per_item",
    "check_form_is_kept",
    "check_keys_lead_back",
    "check_moves_no_global_generator",
    "check_no_label_can_be_reached",
    "check_positions_hold_across_processes",
    "check_train_items_follow_the_generator",
]

Make = Callable[[], Pool]
Labels = Sequence[Any]


def _rows(pool: Pool, positions: Tensor, mode: Mode = "eval", size: int = 7, seed: int | None = None) -> Tensor:
    rng = None if seed is None else Generator().manual_seed(seed)
    return torch.cat([batch for _, batch in pool.items(mode).batches(positions, size, rng)])


def _everywhere(pool: Pool) -> Tensor:
    """Up to 40 positions, both ends included."""
    return torch.from_numpy(np.unique(np.linspace(0, len(pool) - 1, min(40, len(pool))).astype(np.int64)))


@check
def check_eval_items_repeat_exactly(make: Make, labels: Labels | None = None) -> None:
    """Eval items are the same every time: in any batch size and order, with a generator or without, in a new pool."""
    pool = make()
    positions = _everywhere(pool)
    first = _rows(pool, positions)
    back = torch.arange(len(positions) - 1, -1, -1)
    again = {
        "the second time": _rows(pool, positions),
        "one by one": _rows(pool, positions, size=1),
        "all at once": _rows(pool, positions, size=1000),
        "backwards": _rows(pool, positions[back])[back],
        "with a generator": _rows(pool, positions, seed=1),
        "after training items were read": (_rows(pool, positions, "train", seed=2), _rows(pool, positions))[1],
        "in a new pool": _rows(make(), positions),
    }
    for how, rows in again.items():
        assert torch.equal(first, rows), f"eval items differ {how}"


@check
def check_no_label_can_be_reached(make: Make, labels: Labels | None = None) -> None:
    """No object that hangs on the pool, its items or one item is the list of labels, or a part of an array that is."""
    if labels is None:
        return
    pool = make()
    truth = _codes(labels)
    roots = [pool, pool.items("eval"), pool.items("train"), pool.item(0), pool.features()]
    for found in _reachable(roots):
        assert not _holds(found, truth), (
            f"the labels can be reached from the pool, in {type(found).__name__} {found!r:.80}"
        )
    named = [pool.item(position) for position in range(len(pool))]
    for column in _columns(named):
        assert not _holds([item[column] for item in named], truth), f"the labels are in column {column!r} of the items"


def _columns(items: Sequence[Any]) -> list[Any]:
    return list(items[0]) if items and isinstance(items[0], Mapping) else []


def _codes(values: Sequence[Any]) -> list[int]:
    """Values as numbers in the order of their first appearance: equal up to a renaming of the classes."""
    seen: dict[Any, int] = {}
    return [seen.setdefault(value, len(seen)) for value in (v.item() if hasattr(v, "item") else v for v in values)]


def _holds(found: Any, truth: list[int]) -> bool:
    """Whether this is the labels, under any names; a column of an array counts."""
    if isinstance(found, Tensor):
        found = found.detach().numpy()
    if isinstance(found, np.ndarray) and found.ndim == 2 and len(found) == len(truth) and found.dtype.kind in "biuf":
        return any(_holds(column, truth) for column in found.T)
    flat = isinstance(found, list | tuple) or (isinstance(found, np.ndarray) and found.ndim == 1)
    if not flat or len(found) != len(truth):
        return False
    try:
        return _codes(found) == truth
    except TypeError:
        return False


def _reachable(roots: list[Any], limit: int = 200_000) -> Iterator[Any]:
    """Every object that can be reached from the roots without passing through modules, classes or globals."""
    seen: set[int] = set()
    queue = list(roots)
    while queue and len(seen) < limit:
        one = queue.pop()
        if id(one) in seen or isinstance(one, ModuleType | type | str | bytes | int | float):
            continue
        seen.add(id(one))
        yield one
        queue += _parts(one)


def _parts(one: Any) -> list[Any]:
    if isinstance(one, FunctionType):
        return [cell.cell_contents for cell in one.__closure__ or ()] + list(one.__defaults__ or ())
    if isinstance(one, np.ndarray):
        return [] if one.base is None else [one.base]
    return gc.get_referents(one)


@check
def check_keys_lead_back(make: Make, labels: Labels | None = None) -> None:
    """Keys are the user's own ids, all different; they lead back to their positions, and an unknown one is refused."""
    pool = make()
    keys = pool.keys(range(len(pool)))
    assert len(set(keys)) == len(pool), f"{len(pool)} items have {len(set(keys))} keys"
    back = pool.positions(list(reversed(keys)))
    assert back.tolist() == list(range(len(pool)))[::-1], "keys do not lead back to their positions"
    assert back.dtype == np.int64, f"positions are {back.dtype}"
    assert raises(UnknownName, pool.positions, ["no such key"]), "an unknown key is not refused"


def _signature(make: Make) -> tuple[list[str], str, list[Any]]:
    pool = make()
    return pool.keys(range(len(pool))), pool.digest, _rows(pool, _everywhere(pool)).tolist()


@check
def check_positions_hold_across_processes(make: Make, labels: Labels | None = None) -> None:
    """Another process finds the same items at the same positions, and the same digest."""
    there = elsewhere().submit(_signature, make)
    for what, a, b in zip(("keys", "digest", "items"), _signature(make), there.result(), strict=True):
        assert a == b, f"{what} differ in another process"


@check
def check_digest_follows_the_content(make: Make, labels: Labels | None = None) -> None:
    """The digest is hexadecimal, and reading does not change it."""
    pool = make()
    before = pool.digest
    int(before, 16)
    _rows(pool, _everywhere(pool))
    assert pool.digest == before == make().digest, "the digest is not the same every time"


@check
def check_form_is_kept(make: Make, labels: Labels | None = None) -> None:
    """Batches have the form that the pool declares, in both modes: shape, type and range."""
    pool = make()
    positions = _everywhere(pool)
    for mode in ("eval", "train"):
        rows = _rows(pool, positions, mode, seed=1)
        wanted = (len(positions), *pool.form.shape)
        assert rows.shape == wanted, f"{mode} items have shape {tuple(rows.shape)} instead of {wanted}"
        if pool.form.kind == "tokens":
            assert rows.dtype == torch.int64, f"tokens are {rows.dtype}"
            assert 0 <= int(rows.min()) <= int(rows.max()) < pool.form.vocab, "a token is outside the vocabulary"
        if pool.form.kind in ("vector", "image"):
            assert rows.dtype == torch.float32, f"{mode} items are {rows.dtype}"
            assert bool(rows.isfinite().all()), f"{mode} items hold NaN or infinity"
        if pool.form.kind == "image" and mode == "eval":
            assert 0 <= float(rows.min()) <= float(rows.max()) <= 1, "pixels are outside [0, 1]"


@check
def check_batches_cover_the_positions(make: Make, labels: Labels | None = None) -> None:
    """Batches follow the given positions, repeats included, and none is larger than asked; none for no positions."""
    pool = make()
    positions = torch.tensor([len(pool) - 1, 0, 0, len(pool) // 2])
    places = []
    for where, batch in pool.items("eval").batches(positions, 3):
        places += list(range(len(positions)))[where]
        assert len(batch) == len(range(len(positions))[where]) <= 3, f"a batch of {len(batch)} for {where}"
        assert torch.equal(batch, _rows(pool, positions[where])), f"batch {where} holds other items"
    assert places == [0, 1, 2, 3], f"batches cover the places {places} of four positions"
    assert list(pool.items("eval").batches(positions[:0], 3)) == [], "there is a batch for no positions"


@check
def check_train_items_follow_the_generator(make: Make, labels: Labels | None = None) -> None:
    """Training items are the same for the same generator."""
    pool = make()
    one, other = (_rows(pool, _everywhere(pool), "train", seed=3) for _ in range(2))
    assert torch.equal(one, other), "training items differ for the same generator"


@check
def check_moves_no_global_generator(make: Make, labels: Labels | None = None) -> None:
    """Making and reading a pool leaves the global generators where they are."""
    with pinned_generators(5):
        before = global_generators()
        pool = make()
        _rows(pool, _everywhere(pool))
        _rows(pool, _everywhere(pool), "train", seed=1)
        pool.features()
        assert global_generators() == before, "a global generator moved"


@check
def check_features_are_one_row_per_item(make: Make, labels: Labels | None = None) -> None:
    """Features are None or finite float32 (len, D), the same every time."""
    pool = make()
    features, again = pool.features(), make().features()
    if features is None or again is None:
        assert features is again, "features are None in one pool and not in the next"
        return
    assert features.ndim == 2, f"features have {features.ndim} axes"
    assert len(features) == len(pool), f"features have {len(features)} rows for {len(pool)} items"
    assert features.dtype == np.float32, f"features are {features.dtype}"
    assert bool(np.isfinite(features).all()), "features hold NaN or infinity"
    assert np.array_equal(features, again), "features differ in a new pool"


CHECKS: tuple[Check, ...] = (
    check_eval_items_repeat_exactly,
    check_no_label_can_be_reached,
    check_keys_lead_back,
    check_positions_hold_across_processes,
    check_digest_follows_the_content,
    check_form_is_kept,
    check_batches_cover_the_positions,
    check_train_items_follow_the_generator,
    check_moves_no_global_generator,
    check_features_are_one_row_per_item,
)
