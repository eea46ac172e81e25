"""Arithmetic of learned policies: the numbers of the cards."""

from __future__ import annotations

import pytest
import torch

from askwell.functional.policy import policy_loss, returns, targets_of_values, thinned


def test_returns_of_the_card() -> None:
    assert returns([0.1, -0.05, 0.6], 0.95) == pytest.approx([0.594, 0.52, 0.6])
    assert returns([], 0.95) == []
    assert returns([1, 1, 1], 1) == [3, 2, 1]


def test_targets_of_the_card() -> None:
    following = torch.tensor([[0.1, -0.3], [0.1, 5.0]])
    found = targets_of_values(torch.tensor([0.02, 0.02]), following, torch.tensor([False, True]), 0.99)
    assert found.tolist() == pytest.approx([0.119, 0.02])


def test_a_gain_raises_the_chance_of_its_action() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    policy_loss(logits.log_softmax(1)[:, 1], torch.tensor([2.0])).backward()
    assert logits.grad is not None
    assert logits.grad[0].tolist() == pytest.approx([2 / 3, -4 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("length", "slots", "found"),
    [(1200, 50, list(range(0, 1000, 20))), (120, 50, list(range(0, 100, 2))), (50, 50, list(range(50))), (1, 50, [0])],
)
def test_a_list_is_thinned_evenly(length: int, slots: int, found: list[int]) -> None:
    assert thinned(length, slots, 1000).tolist() == found
