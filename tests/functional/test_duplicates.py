"""Near-duplicates: against all pairs, on random pools."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from askwell.functional import duplicates
from askwell.functional.duplicates import distinct_rows


def rng(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def pool(seed: int) -> Tensor:
    """Up to 60 directions of few kinds, with noise: many pairs are alike."""
    generator = rng(seed)
    size = int(torch.randint(5, 60, (), generator=generator))
    kinds = torch.randn(6, 3, generator=generator)[torch.randint(6, (size,), generator=generator)]
    lengths = torch.rand(size, 1, generator=generator) + 0.1
    return (kinds + 0.15 * torch.randn(size, 3, generator=generator)) * lengths


def plain(rows: Tensor, similarity: float, seed: int) -> list[int]:
    """Each row against all before it in the random order."""
    generator = rng(seed)
    torch.randint(1 << 31, (), generator=generator)
    order = torch.rand(len(rows), generator=generator, dtype=torch.float64).argsort().tolist()
    cosine = torch.nn.functional.cosine_similarity(rows[:, None].double(), rows[None].double(), dim=2)
    return sorted(row for place, row in enumerate(order) if not (cosine[row, order[:place]] >= similarity).any())


@pytest.mark.parametrize("similarity", [0.7, 0.95])
def test_two_hundred_pools_against_all_pairs(similarity: float) -> None:
    removed = 0
    for seed in range(200):
        rows = pool(seed)
        kept = distinct_rows(rows, similarity, rng(seed)).tolist()
        assert kept == plain(rows, similarity, seed)
        removed += len(rows) - len(kept)
    assert removed > 1000


def test_many_clusters_keep_pairs_apart_that_are_in_one_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "TOGETHER", 10)
    rows = pool(3).repeat(4, 1)
    kept = rows[distinct_rows(rows, 0.999, rng(0))]
    cosine = torch.nn.functional.cosine_similarity(kept[:, None], kept[None], dim=2).fill_diagonal_(0)
    assert float(cosine.max()) < 0.999
    assert len(kept) >= len(pool(3)) / 2


def test_equal_rows_leave_one_of_them_evenly() -> None:
    counts = torch.zeros(4)
    for seed in range(400):
        counts[distinct_rows(torch.ones(4, 2), 1 - 1e-6, rng(seed))] += 1
    assert counts.sum() == 400
    assert counts.min() > 70


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_types_and_zeros(dtype: torch.dtype) -> None:
    rows = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [0.0, 0.0]], dtype=dtype)
    assert len(distinct_rows(rows, 0.99, rng(0))) == 3
