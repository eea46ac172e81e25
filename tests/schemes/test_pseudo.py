"""Pseudo-labels: what each policy keeps, who replaces them, and that they follow their items."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askwell.errors import BadShape, UnknownName
from askwell.schemes.pseudo import PseudoLabels, PseudoStore

IDS = torch.tensor([3, 5, 8])
LOOKS = (
    (torch.tensor([0, 1, 2]), torch.tensor([True, False, True])),
    (torch.tensor([1, 1, 0]), torch.tensor([False, True, True])),
)


def after(policy, looks=LOOKS, ids=IDS):
    held = PseudoLabels.none()
    for round, (y, sure) in enumerate(looks):
        held = held.renewed(ids, y, sure, round=round, policy=policy)
    return held


@pytest.mark.parametrize(
    ("policy", "ids", "y", "born"),
    [
        ("volatile", [5, 8], [1, 0], [1, 0]),
        ("relabelled", [3, 5, 8], [1, 1, 0], [0, 1, 0]),
        ("sticky", [3, 5, 8], [0, 1, 2], [0, 1, 0]),
    ],
)
def test_what_a_policy_keeps(policy, ids, y, born):
    held = after(policy)
    assert (held.ids.tolist(), held.y.tolist(), held.born.tolist()) == (ids, y, born)
    assert held.w.tolist() == [1.0] * len(ids)


@pytest.mark.parametrize("policy", ["volatile", "relabelled", "sticky"])
def test_an_item_that_an_oracle_has_labelled_is_gone(policy):
    held = after(policy).renewed(IDS[:2], torch.tensor([2, 2]), torch.tensor([True, True]), round=2, policy=policy)
    assert held.ids.tolist() == [3, 5]


def test_volatile_labels_are_those_of_the_last_look_alone():
    y, sure = LOOKS[1]
    fresh = PseudoLabels.none().renewed(IDS, y, sure, round=1, policy="volatile")
    twice = after("volatile").renewed(IDS, y, sure, round=1, policy="volatile")
    for held in (after("volatile"), twice):
        assert torch.equal(held.ids, fresh.ids)
        assert torch.equal(held.y, fresh.y)


@given(st.permutations(range(6)), st.sampled_from(["volatile", "relabelled", "sticky"]))
def test_labels_follow_their_items(order, policy):
    """A label belongs to an id: items that come and go around it change nothing."""
    ids, y = torch.arange(10, 16), torch.arange(6)
    first = torch.tensor(sorted(order[:3]))
    held = PseudoLabels.none().renewed(ids[first], y[first], torch.ones(3, dtype=torch.bool), round=0, policy=policy)
    held = held.renewed(ids, y, torch.ones(6, dtype=torch.bool), round=1, policy=policy)
    assert torch.equal(held.ids - 10, held.y)


def test_soft_labels_and_weights_stay_with_their_items():
    soft, w = torch.rand(3, 4), torch.tensor([0.2, 0.5, 0.9])
    held = PseudoLabels.none(soft=4).renewed(
        IDS, soft, torch.tensor([True, False, True]), round=0, policy="sticky", w=w
    )
    again = held.renewed(IDS, soft.flip(0), torch.ones(3, dtype=torch.bool), round=1, policy="sticky")
    assert torch.equal(again.y[[0, 2]], soft[[0, 2]])
    torch.testing.assert_close(again.w, torch.tensor([0.2, 1.0, 0.9]))
    draw = again.draw()
    assert (draw.ids is again.ids, draw.y is again.y, draw.w is again.w) == (True, True, True)


def test_purity():
    held = after("volatile")
    assert held.purity(torch.tensor([1, 2])) == 0.5
    assert PseudoLabels.none().purity(torch.empty(0)) == 1.0


def test_the_store_holds_what_it_is_given_and_is_saved():
    store, other = PseudoStore(), PseudoStore()
    store.hold(after("sticky"))
    other.load_state_dict(store.state_dict())
    assert other.labels.y.tolist() == [0, 1, 2]
    assert sorted(store.state_dict()) == ["born", "ids", "w", "y"]


def test_wrong_input():
    with pytest.raises(UnknownName, match=r"^unknown policy of pseudo-labels 'stick'"):
        after("stick")
    with pytest.raises(BadShape, match=r"^3 ids, 2 labels and 3 signs of confidence differ in number$"):
        PseudoLabels.none().renewed(IDS, torch.zeros(2), torch.ones(3, dtype=torch.bool), round=0, policy="sticky")
