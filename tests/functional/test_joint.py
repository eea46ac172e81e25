"""BatchBALD and the joint information of several labels."""

from __future__ import annotations

import math
import re
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.testing import assert_close

from askwell.errors import BadShape, PoolExhausted
from askwell.functional import joint
from askwell.functional.information import bald
from askwell.functional.joint import Saturated, batch_bald, joint_information

FIRST = torch.tensor([[0.99, 0.99, 0.01, 0.01], [0.99, 0.99, 0.01, 0.01], [0.95, 0.05, 0.95, 0.05]]).double()
COPIES = torch.stack([FIRST, 1 - FIRST], 2)
A, B = [[0.1, 0.2, 0.3, 0.4], [0.15, 0.15, 0.3, 0.4]], [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.16, 0.14]]
NOISE = torch.tensor([A, A, B], dtype=torch.float64)


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def draws(rows: int, k: int, classes: int, seed: int = 0) -> Tensor:
    return torch.softmax(2 * torch.randn(rows, k, classes, generator=rng(seed), dtype=torch.float64), 2)


def greedy(mc: Tensor, n: int) -> tuple[list[int], list[float]]:
    """By full enumeration, ties to the lowest row."""
    picks: list[int] = []
    found: list[float] = []
    for _ in range(n):
        values = [-1.0 if i in picks else joint_information(mc[[*picks, i]]) for i in range(len(mc))]
        picks.append(max(range(len(mc)), key=lambda i: (round(values[i], 9), -i)))
        found.append(values[picks[-1]])
    return picks, found


def test_worked_numbers() -> None:
    assert_close(bald(COPIES), torch.tensor([0.637146, 0.637146, 0.494632]).double(), atol=1e-6, rtol=0)
    assert joint_information(COPIES[[0, 1]]) == pytest.approx(0.678404, abs=1e-6)
    assert joint_information(COPIES[[0, 2]]) == pytest.approx(1.131778, abs=1e-6)
    chosen = batch_bald(COPIES, 2, rng(), key=torch.arange(3))
    assert chosen.rows.tolist() == [0, 2]
    assert_close(chosen.information, torch.tensor([0.637146, 1.131778]).double(), atol=1e-6, rtol=0)


def test_a_repeated_noisy_label_is_informative() -> None:
    assert_close(bald(NOISE), torch.tensor([0.004309, 0.004309, 0.002788]).double(), atol=1e-6, rtol=0)
    assert joint_information(NOISE[[0, 1]]) == pytest.approx(0.008581, abs=1e-6)
    assert joint_information(NOISE[[0, 2]]) == pytest.approx(0.007073, abs=1e-6)
    assert batch_bald(NOISE, 2, rng(), key=torch.arange(3)).rows.tolist() == [0, 1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.integers(2, 5), st.integers(2, 3))
def test_exact_phase_equals_full_enumeration(seed: int, k: int, classes: int) -> None:
    mc = draws(7, k, classes, seed)
    picks, information = greedy(mc, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint, "SATURATION", 2.0)
        chosen = batch_bald(mc, 3, rng(), key=torch.arange(7))
    assert chosen.rows.tolist() == picks
    assert_close(chosen.information, torch.tensor(information, dtype=torch.float64))
    assert (chosen.information <= math.log(k) + 1e-12).all()
    assert (chosen.information <= bald(mc[picks]).cumsum(0) + 1e-12).all()
    assert (chosen.gains >= 0).all()


def test_lazy_over_many_tiles_equals_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    mc = draws(400, 10, 3)
    eager = batch_bald(mc, 4, rng(), key=torch.arange(400))
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 300)
    lazy = batch_bald(mc, 4, rng(), key=torch.arange(400))
    assert lazy.rows.tolist() == eager.rows.tolist()
    assert_close(lazy.gains, eager.gains)


def test_sampled_gains_are_within_three_standard_errors() -> None:
    mc = draws(6, 8, 3)
    exact = batch_bald(mc, 4, rng(), key=torch.arange(6))
    sampled = [batch_bald(mc, 4, rng(seed), key=torch.arange(6), samples=80) for seed in range(60)]
    alike = torch.stack([s.gains[1] for s in sampled if s.rows[:2].tolist() == exact.rows[:2].tolist()])
    assert len(alike) > 20
    error = alike.std() / len(alike) ** 0.5
    assert abs(alike.mean() - exact.gains[1]) < 3 * error + 1e-9


def test_more_samples_reach_the_exact_picks() -> None:
    mc = draws(8, 6, 3, seed=3)
    exact = batch_bald(mc, 4, rng(), key=torch.arange(8))
    sampled = batch_bald(mc, 4, rng(1), key=torch.arange(8), samples=81 - 1)
    assert sampled.rows[:3].tolist() == exact.rows[:3].tolist()
    many = [batch_bald(mc, 4, rng(s), key=torch.arange(8), samples=80).gains[3] for s in range(30)]
    assert float(torch.stack(many).mean()) == pytest.approx(float(exact.gains[3]), abs=0.05)


def test_first_pick_is_the_best_bald() -> None:
    mc = draws(50, 9, 4).float()
    assert int(batch_bald(mc, 1, rng()).rows) == int(bald(mc).argmax())


def test_every_pair_is_worth_no_more_than_its_parts() -> None:
    mc = draws(5, 6, 3)
    single = bald(mc)
    for i, j in combinations(range(5), 2):
        both = joint_information(mc[[i, j]])
        assert max(single[i], single[j]) <= both + 1e-12
        assert both <= single[i] + single[j] + 1e-12


def test_long_batches_of_confident_draws_stay_finite() -> None:
    hot = torch.eye(3)[torch.randint(3, (60, 5), generator=rng())]
    with pytest.warns(Saturated):
        chosen = batch_bald(hot, 60, rng(), samples=100)
    assert sorted(chosen.rows.tolist()) == list(range(60))
    assert torch.isfinite(chosen.gains).all()
    assert float(chosen.information[-1]) == pytest.approx(math.log(5), abs=1e-5)


def test_the_warning_names_the_way_out() -> None:
    hot = torch.eye(2)[torch.tensor([[0, 1], [0, 1], [1, 0]])]
    text = (
        "after 1 of 2 picks the joint information is within 5 % of log 2, all that 2 draws can show: the picks after "
        "it are noise. Use more draws, a smaller batch, or Stochastic(BALD())"
    )
    with pytest.warns(Saturated, match=f"^{re.escape(text)}$"):
        batch_bald(hot, 2, rng())


def test_ties_are_broken_by_the_generator() -> None:
    same = COPIES[:1].expand(6, -1, -1)
    assert {int(batch_bald(same, 1, rng(seed)).rows) for seed in range(60)} == set(range(6))


def test_half_precision_is_computed_in_float32() -> None:
    assert batch_bald(COPIES.half(), 2, rng(), key=torch.arange(3)).rows.tolist() == [0, 2]


def test_refuses() -> None:
    text = r"^expected a floating-point tensor \(N, K, C\), got shape \(2, 2\) and type torch.float32$"
    with pytest.raises(BadShape, match=text):
        batch_bald(torch.zeros(2, 2), 1, rng())
    with pytest.raises(PoolExhausted):
        batch_bald(COPIES, 4, rng())
