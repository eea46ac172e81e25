"""Choosing rows by score."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from askwell.errors import BadShape, InputError, NotFinite, PoolExhausted, UnknownName
from askwell.functional.pick import gumbel, quota, top


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.data())
def test_top_sorts_by_score_then_key(values: list[int], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(values)))
    key = data.draw(st.permutations(range(len(values))))
    expected = sorted(range(len(values)), key=lambda row: (-values[row], key[row]))[:n]
    assert top(torch.tensor(values, dtype=torch.float32), n, torch.tensor(key)).tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_top_takes_any_type(dtype: torch.dtype) -> None:
    assert top(torch.tensor([1, 3, 2, 3], dtype=dtype), 3, torch.arange(4)).tolist() == [1, 3, 2]


def test_top_breaks_ties_evenly() -> None:
    generator = rng()
    counts = Counter(int(top(torch.tensor([0.0, 1.0, 1.0, 1.0]), 1, generator)) for _ in range(3000))
    assert set(counts) == {1, 2, 3}
    assert all(abs(count - 1000) < 110 for count in counts.values())


def test_top_draws_keys_only_for_rows_that_compete() -> None:
    generator, other = rng(), rng()
    top(torch.arange(1000.0), 3, generator)
    torch.rand(3, generator=other, dtype=torch.float64)
    assert torch.equal(generator.get_state(), other.get_state())


def test_top_ranks_infinities() -> None:
    assert top(torch.tensor([-torch.inf, 0.0, torch.inf]), 3, torch.arange(3)).tolist() == [2, 1, 0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_top_refuses_nan(dtype: torch.dtype) -> None:
    with pytest.raises(NotFinite, match=r"^scores hold NaN, the first rows are \[1, 3\]$"):
        top(torch.tensor([1.0, torch.nan, 0.0, torch.nan], dtype=dtype), 1, rng())


@pytest.mark.parametrize("n", [0, 4])
def test_top_refuses_more_than_there_are(n: int) -> None:
    with pytest.raises(PoolExhausted, match=f"^cannot choose {n} items from 3 candidates: ask for 1 to 3$"):
        top(torch.zeros(3), n, rng())


def test_top_refuses_a_matrix() -> None:
    with pytest.raises(BadShape, match=r"^scores have shape \(2, 2\) instead of \(N,\)$"):
        top(torch.zeros(2, 2), 1, rng())


S = torch.tensor([0.1, 0.2, 0.3, 0.4])
FIRST_PICK = [
    ("power", 1.0, (0.1, 0.2, 0.3, 0.4)),
    ("power", 8.0, (0.000014, 0.003538, 0.090679, 0.905769)),
    ("softmax", 1.0, (0.213838, 0.236328, 0.261183, 0.288651)),
    ("softrank", 1.0, (0.12, 0.16, 0.24, 0.48)),
]


@pytest.mark.parametrize(("kind", "beta", "law"), FIRST_PICK)
def test_first_pick_of_a_sample_follows_the_law(kind: str, beta: float, law: tuple[float, ...]) -> None:
    generator, runs = rng(1), 4000
    counts = Counter(int(gumbel(S, kind, beta, generator).argmax()) for _ in range(runs))
    for row, p in enumerate(law):
        assert abs(counts[row] - runs * p) <= 4 * math.sqrt(runs * p * (1 - p)) + 1


def test_power_law_is_scale_free_and_softmax_shift_free() -> None:
    for a, b, kind in ((S, 7 * S, "power"), (S, S + 7, "softmax"), (S, S.exp(), "softrank")):
        assert gumbel(a, kind, 1.0, rng()).argsort().tolist() == gumbel(b, kind, 1.0, rng()).argsort().tolist()


def test_large_beta_takes_the_best() -> None:
    for kind in ("power", "softmax", "softrank"):
        assert top(gumbel(S, kind, math.inf, rng()), 2, rng()).tolist() == [3, 2]


def test_a_zero_comes_after_all_positive_scores() -> None:
    keys = gumbel(torch.tensor([0.0, 1e-30, 0.0, 1.0]), "power", 1.0, rng())
    assert top(keys, 4, rng()).tolist()[:2] in ([1, 3], [3, 1])


def test_gumbel_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown kind of noise 'powr': did you mean 'power'\? Known: "):
        gumbel(S, "powr", 1.0, rng())  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(InputError, match=r"^beta is 0.0: it must be above 0$"):
        gumbel(S, "power", 0.0, rng())
    with pytest.raises(
        InputError, match=r"^scores below 0 cannot be sampled by power: use kind='softmax' or 'softrank'$"
    ):
        gumbel(-S, "power", 1.0, rng())


QUOTAS = [
    ((8, 2, 0), (10, 10, 10), 6, (), [0, 2, 4]),
    ((8, 2, 0), (10, 10, 1), 6, (), [0, 5, 1]),
    ((8, 2, 0), (10, 10, 10), 20, (), [2, 8, 10]),
    ((3, 3, 3), (10, 10, 10), 4, (), [2, 1, 1]),
    ((0, 0, 0), (10, 10, 10), 8, (0.5, 0.25, 0.25), [4, 2, 2]),
    ((0, 0), (10, 2), 4, (0.0, 1.0), [2, 2]),
]


@pytest.mark.parametrize(("counts", "available", "n", "shares", "expected"), QUOTAS)
def test_quota(counts: tuple[int], available: tuple[int], n: int, shares: tuple[float], expected: list[int]) -> None:
    assert quota(counts, available, n, shares) == expected


@given(st.data())
def test_quota_gives_all_and_no_more_than_there_is(data: st.DataObject) -> None:
    available = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    counts = data.draw(st.lists(st.integers(0, 9), min_size=len(available), max_size=len(available)))
    n = data.draw(st.integers(0, sum(available)))
    given_out = quota(counts, available, n)
    assert sum(given_out) == n
    assert all(q <= a for q, a in zip(given_out, available, strict=True))


def test_quota_refuses() -> None:
    with pytest.raises(PoolExhausted):
        quota((0, 0), (1, 1), 3)
    with pytest.raises(BadShape, match=r"^2 counts, 2 available and 3 shares: one per class$"):
        quota((0, 0), (1, 1), 1, (1, 1, 1))
