"""The robust core-set as a strategy: its outliers, its part of the pool, its warning."""

from __future__ import annotations

import logging

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING
from askwell.core.view import Batch
from askwell.errors import InputError
from askwell.strategies import Coreset, RobustCoreset

LINE = torch.tensor([[1.0], [2.0], [3.0], [4.0], [10.0]])


def choose(strategy: RobustCoreset | Coreset, z: Tensor, known: Tensor, n: int, seed: int = 0) -> Batch:
    tensors = {EMBEDDING: z, EMBEDDING.at("labelled"): known}
    return strategy.select(view_of(strategy, tensors, torch.arange(len(z)), len(known)), n, rng(seed))


@pytest.mark.parametrize(("outliers", "picks"), [(0.0, [4]), (0.2, [2]), (0.19, [4])])
def test_outliers_are_a_share_of_the_candidates(outliers: float, picks: list[int]) -> None:
    assert choose(RobustCoreset(outliers), LINE, torch.zeros(1, 1), 1).ids.tolist() == picks


def test_scores_are_distances_to_the_nearest_centre() -> None:
    batch = choose(RobustCoreset(), LINE, torch.zeros(1, 1), 2)
    assert (batch.ids.tolist(), batch.scores.tolist()) == ([4, 2], [10.0, 3.0])


def test_only_part_of_a_large_pool_takes_part() -> None:
    z = draws(0, 300, 2)
    found = [choose(RobustCoreset(size=12), z, z[:0], 3, seed).ids.tolist() for seed in range(30)]
    assert len({row for rows in found for row in rows}) > 40
    assert len(set(choose(RobustCoreset(size=2), z, z[:0], 5).ids.tolist())) == 5


def test_of_equally_good_items_a_random_one() -> None:
    z = torch.tensor([[1.0], [2.0], [3.0], [3.0], [4.0], [10.0]])
    found = {int(choose(RobustCoreset(0.2), z, torch.zeros(1, 1), 1, seed).ids) for seed in range(30)}
    assert found == {2, 3}


def test_running_out_of_time_is_said_and_core_set_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "askwell"):
        batch = choose(RobustCoreset(seconds=0), LINE, torch.zeros(1, 1), 2)
    assert batch.ids.tolist() == choose(Coreset(), LINE, torch.zeros(1, 1), 2).ids.tolist()
    assert caplog.messages == [
        "robust_coreset: after 0 seconds radius 2 is not proven to be the least for 2 of 5 items"
    ]


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^outliers of 'robust_coreset' is 1.0: it must be at least 0 and below 1$"):
        RobustCoreset(1.0)
    with pytest.raises(InputError, match=r"^size of 'robust_coreset' is 0: it must be at least 1$"):
        RobustCoreset(size=0)
    with pytest.raises(InputError, match=r"^seconds of 'robust_coreset' is -1: it must not be negative$"):
        RobustCoreset(seconds=-1)
