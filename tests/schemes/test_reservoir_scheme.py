"""Replay training: what it trains on, for how long, and that it goes on from the last weights."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from scheme_parts import accuracy, job, some, trained

from askwell.core.scheme import Facts
from askwell.errors import InputError
from askwell.schemes import Reservoir, Supervised
from askwell.training.tensors import tensors

SCHEME = Reservoir(buffer=6, size=10, epochs=4, batch=8)


def given(labels, round=0, **changes):
    ids = torch.arange(labels)
    return job(ids, torch.arange(1000, 1040), ids[:0], round=round, **changes)


def held(scheme, labels, seed=0):
    """Ids that a fit trains on, in their order."""
    fitted = trained(scheme, given(labels), seed)
    return scheme.drawn(fitted.run).ids.tolist()


def test_the_newest_labels_and_a_reservoir_of_the_others():
    for labels, size in ((3, 3), (16, 16), (17, 16), (60, 16)):
        ids = held(SCHEME, labels)
        assert len(ids) == size
        assert ids[-6:] == list(range(labels))[-6:]
        assert len(set(ids)) == size


def test_what_has_left_the_reservoir_never_comes_back():
    gone = set()
    for labels in range(10, 40, 3):
        old = set(held(SCHEME, labels)[:-6])
        assert not old & gone
        gone |= set(range(labels - 6)) - old


def test_the_reservoir_is_one_of_the_run():
    first, second = held(SCHEME, 60, seed=0), held(SCHEME, 60, seed=1)
    assert first[:-6] != second[:-6]
    assert held(SCHEME, 60, seed=0) == first


def test_length_does_not_grow_with_the_labels():
    facts = Facts(10, 10, 12, 40, 0, 0)
    assert SCHEME.length(facts) == 4 * 2
    assert SCHEME.length(replace(facts, n_labelled=500)) == SCHEME.length(replace(facts, n_labelled=16)) == 4 * 2
    assert trained(SCHEME, given(500)).report.steps == 8


def test_it_goes_on_from_the_last_weights():
    assert Reservoir().reads == {"labelled", "previous"}
    first = trained(replace(SCHEME, epochs=60), some(16))
    onward = trained(replace(SCHEME, lr=1e-9), some(16, previous=tensors(first.modules), round=1))
    assert accuracy(onward, torch.arange(16)) == accuracy(first, torch.arange(16)) > 0.9


def test_with_room_for_all_it_is_supervised_training():
    """The same rows in the same order: nothing is left out, and older labels come first as before."""
    scheme = Reservoir(buffer=6, size=100, epochs=4, batch=8)
    plain = Supervised(**{one.name: getattr(scheme, one.name) for one in fields(Supervised)})
    one, other = trained(scheme, given(40)), trained(plain, given(40))
    for key, value in tensors(one.modules).items():
        assert torch.equal(value, tensors(other.modules)[key])


def test_labels_that_left_do_not_change_the_fit():
    ids = held(SCHEME, 60)
    left = next(item for item in range(54) if item not in ids)
    targets = given(60).targets.clone()
    targets[left] = (targets[left] + 1) % 10
    one, other = trained(SCHEME, given(60)), trained(SCHEME, given(60, targets=targets))
    for key, value in tensors(one.modules).items():
        assert torch.equal(value, tensors(other.modules)[key])


def test_bad_sizes_are_refused():
    with pytest.raises(InputError, match=r"^scheme Reservoir takes a buffer from 1 and a size from 0, got 0 and 256$"):
        Reservoir(buffer=0)
    with pytest.raises(InputError, match=r"got 32 and -1$"):
        Reservoir(size=-1)
