"""Bandits: the numbers of the card, and two public implementations."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import InputError
from askwell.functional.bandit import (
    class_values,
    decayed_counts,
    exp4p_chances,
    exp4p_floor,
    exp4p_update,
    importance_weighted_accuracy,
    thompson_draws,
)

TWO = torch.zeros(2, dtype=torch.float64)


def double(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_floor_and_bonus_of_the_card() -> None:
    assert exp4p_floor(2, 100) == pytest.approx(0.058871, abs=1e-6)
    assert sqrt(log(2 / 0.1) / 200) == pytest.approx(0.122387, abs=1e-6)


@pytest.mark.parametrize(
    ("times", "weights", "chances"),
    [(1, (1.007350, 1.007231), (0.500026, 0.499974)), (100, (1.019160, 1.007231), (0.502597, 0.497403))],
)
def test_a_step_of_the_card(times: int, weights: tuple[float, ...], chances: tuple[float, ...]) -> None:
    reward = times * importance_weighted_accuracy(torch.tensor([True]), double(0.5), 10, 100)
    assert reward == pytest.approx(0.002 * times)
    moved = exp4p_update(TWO, reward * double(2, 0), double(2, 2), 100, 0.1)
    assert_close(moved.exp(), double(*weights) / max(weights), rtol=0, atol=1e-6)
    assert_close(exp4p_chances(moved, 100), double(*chances), rtol=0, atol=1e-6)


def test_chances_and_mixture_of_the_card() -> None:
    chances = exp4p_chances(double(3, 1).log(), 100)
    assert_close(chances, double(0.720565, 0.279435), rtol=0, atol=1e-6)
    mixture = chances @ double([1, 0, 0], [0.5, 0.5, 0])
    assert_close(mixture, double(0.860282, 0.139718, 0), rtol=0, atol=1e-6)


def test_no_chance_falls_below_the_floor() -> None:
    chances = exp4p_chances(double(0, -1e4, 1e4), 50)
    assert float(chances.sum()) == pytest.approx(1)
    assert float(chances.min()) == pytest.approx(exp4p_floor(3, 50))


def test_equal_advice_leaves_equal_weights() -> None:
    weights = TWO
    for _ in range(100):
        weights = exp4p_update(weights, double(0.7, 0.7), double(1, 1), 100, 0.1)
    assert weights.tolist() == [0, 0]


def test_too_few_steps_are_refused() -> None:
    assert exp4p_floor(4, 6) <= 0.25
    with pytest.raises(InputError, match=r"^4 experts cannot be told apart in 5 steps: 6 are needed$"):
        exp4p_floor(4, 5)


LIBACT = {0: [0.175417, 0.187754, 0.187369, 0.229751, 0.219709], 1: [0.294517, 0.383157, 0.322326]}
"""Weights after 10 steps by `Exp4P` of ntucllab/libact at cac4c1e."""


@pytest.mark.parametrize("seed", LIBACT)
def test_weights_agree_with_libact(seed: int) -> None:
    """On 300 random problems with advice of one item each they differ by at most 2e-16."""
    rng = np.random.default_rng(seed)
    experts, steps, items = int(rng.integers(2, 6)), int(rng.integers(20, 200)), 30
    picks, weights = rng.permutation(items)[:experts], torch.zeros(experts, dtype=torch.float64)
    for _ in range(10):
        advice = torch.zeros(experts, items, dtype=torch.float64)
        advice[torch.arange(experts), torch.from_numpy(picks)] = 1
        q = exp4p_chances(weights, steps) @ advice
        drawn, reward = int(rng.choice(items, p=q.numpy())), float(rng.random())
        picks = rng.permutation(items)[:experts]
        rewards = reward * advice[:, drawn] / q[drawn]
        weights = exp4p_update(weights, rewards, (advice[:, q > 0] / q[q > 0]).sum(1), steps, 0.1)
    assert_close(weights.softmax(0), double(*LIBACT[seed]), rtol=0, atol=1e-6)


def test_values_of_classes() -> None:
    assert class_values(torch.tensor([8, 2]), 10).tolist() == [-0.125, 0.5]
    assert class_values(torch.tensor([2, 2]), 4).tolist() == [0.5, 0.5]
    assert class_values(torch.tensor([0, 0]), 0).tolist() == [1, 1]


def test_thompson_of_the_card() -> None:
    alpha, values = double([5, 1], [2, 4]), class_values(torch.tensor([8, 2]), 10)
    means = (alpha + 1) / (alpha + 1).sum(1, keepdim=True) @ values
    assert_close(means, double(0.03125, 0.265625))
    draws = thompson_draws(alpha, 100_000, torch.Generator().manual_seed(0))
    assert_close(draws.mean(0) @ values, means, rtol=0, atol=1e-3)
    second = ((draws @ values).argmax(1) == 1).double().mean()
    assert float(second) == pytest.approx(0.949, abs=0.002)


def test_counts_of_the_card() -> None:
    found = decayed_counts(double([5, 1], [2, 4]), torch.tensor([1, 1, 1]), torch.tensor([1, 1, 0]), 0.9)
    assert_close(found, double([4.5, 0.9], [2.8, 5.6]))


def test_counts_agree_with_tailor() -> None:
    """`ThompsonMetaProcedure` of jifanz/TAILOR at 8a23e14: the same counts and values on 300 random pools; its
    strategies are drawn as often (χ² of 20,000 draws each, p = .74)."""
    labelled = torch.tensor([2, 1, 0, 0, 0, 1, 0, 3, 0, 0, 1, 0]).bincount(minlength=4)
    assert_close(class_values(labelled, 12), double(-0.14285714, 0.33333333, 1, 1), rtol=0, atol=1e-8)
    experts = torch.tensor([1, 0, 1, 0, 2, 2, 2, 2, 1, 2, 0, 0])
    labels = torch.tensor([1, 3, 0, 2, 2, 0, 0, 0, 0, 0, 0, 1])
    found = decayed_counts(torch.ones(3, 4, dtype=torch.float64), experts, labels, 0.9)
    assert_close(found, double([1.9, 1.9, 1.9, 1.9], [2.9, 1.9, 0.9, 0.9], [4.9, 0.9, 1.9, 0.9]))


def test_labels_by_themselves_are_counted_present_and_absent() -> None:
    counts = torch.ones(1, 2, 2, dtype=torch.float64)
    found = decayed_counts(counts, torch.tensor([0, 0]), torch.tensor([[1, 0], [1, 1]]), 0.5)
    assert found.tolist() == [[[2.5, 0.5], [1.5, 1.5]]]
    draws = thompson_draws(100 * found, 2000, torch.Generator().manual_seed(0))
    assert_close(draws.mean(0), double([2.5 / 3, 0.5]), rtol=0, atol=0.01)
