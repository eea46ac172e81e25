"""CAL: contrast with the nearest labelled items."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import EMBEDDING, PROBS
from askwell.errors import InputError
from askwell.functional.neighbours import contrast
from askwell.strategies import CAL

KNOWN = torch.tensor([[0.9, 0.1], [0.6, 0.4]])


def reference(z: Tensor, p: Tensor, labelled_z: Tensor, labelled_p: Tensor, k: int) -> list[float]:
    """Mean divergence, row by row, over the nearest of vectors scaled to length one."""
    scores = []
    for row, q in zip(z / z.norm(dim=1, keepdim=True), p, strict=True):
        near = (labelled_z / labelled_z.norm(dim=1, keepdim=True) - row).norm(dim=1).argsort()[:k]
        scores.append(float(torch.stack([(labelled_p[i] * (labelled_p[i] / q).log()).sum() for i in near]).mean()))
    return scores


def test_worked_numbers() -> None:
    half, same = torch.tensor([[0.5, 0.5]]), torch.ones(1, 2)
    one = [contrast(same, half, same, KNOWN[i : i + 1], 1).item() for i in (0, 1)]
    assert one == pytest.approx([0.368064, 0.020136], abs=1e-6)
    assert contrast(same, half, torch.ones(2, 2), KNOWN, 10).item() == pytest.approx(0.194100, abs=1e-6)


@pytest.mark.parametrize("k", [1, 5, 12, 40])
def test_scores_are_mean_divergences(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 100)
    given = draws(0, 30, 4), probs(1, 30, 3), 3 * draws(2, 12, 4), probs(3, 12, 3)
    assert contrast(*given, k).tolist() == pytest.approx(reference(*given, k))


def test_neighbours_are_near_by_angle_not_by_length() -> None:
    labelled = torch.tensor([[100.0, 1.0], [0.0, 1.0]])
    score = contrast(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 0.5]]), labelled, KNOWN, 1)
    assert score.item() == pytest.approx(0.368064, abs=1e-6)


def test_is_finite_and_large_where_the_item_rules_out_what_its_neighbours_say() -> None:
    ones, sure = torch.ones(2, 1), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    scores = contrast(ones, sure, ones[:1], sure[:1], 1)
    assert scores[0] == 0
    assert 80 < scores[1] < 100
    assert_close(contrast(ones.half(), sure.half(), ones[:1].half(), sure[:1].half(), 1), scores)


def test_asks_for_what_is_predicted_otherwise_than_its_neighbours() -> None:
    tensors = {EMBEDDING: torch.tensor([[1.0, 0.1], [1.0, -0.1], [0.0, 1.0]]), PROBS: torch.eye(2)[[0, 1, 1]]}
    tensors |= {EMBEDDING.at("labelled"): torch.eye(2), PROBS.at("labelled"): torch.eye(2)}
    strategy = CAL(neighbours=1)
    assert strategy.select(view_of(strategy, tensors, labelled=2), 1, rng()).ids.tolist() == [10]


def test_refuses_no_neighbour() -> None:
    with pytest.raises(InputError, match=r"^neighbours are 0: there must be at least 1$"):
        CAL(neighbours=0)


@pytest.mark.parametrize(
    ("seed", "theirs", "best"),
    [
        (0, [21, 14, 16, 20, 1, 0], 3.645216183),
        (1, [24, 22, 11, 23, 3, 12], 3.498123218),
        (2, [7, 4, 20, 6, 22, 8], 3.970735254),
    ],
    ids=["0", "1", "2"],
)
def test_cal_agrees_with_skactiveml(seed: int, theirs: list[int], best: float) -> None:
    """`ContrastiveAL` of scikit-activeml 1.0.1 on vectors of length one: picks in order, 200 of 200 pools."""
    z, p = draws(seed, 42, 4), probs(seed + 10, 42, 3)
    tensors = {EMBEDDING: z[:30], PROBS: p[:30], EMBEDDING.at("labelled"): z[30:], PROBS.at("labelled"): p[30:]}
    strategy = CAL(neighbours=5)
    batch = strategy.select(view_of(strategy, tensors, torch.arange(30), 12), 6, rng())
    assert batch.ids.tolist() == theirs
    assert float(batch.scores[0]) == pytest.approx(best, abs=1e-5)


def test_defaults_are_those_of_the_card() -> None:
    assert CAL() == CAL(neighbours=10)
