"""LCMD: the farthest item of the heaviest cluster."""

from __future__ import annotations

import logging

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING
from askwell.core.view import Batch
from askwell.errors import PoolExhausted, UnknownName
from askwell.functional.distance import Points
from askwell.functional.heaviest import Weight, lcmd
from askwell.strategies import LCMD, Coreset

LINE = torch.tensor([[1.0], [2.0], [2.5], [3.0], [14.0]])
ENDS = torch.tensor([[0.0], [10.0]])


def choose(strategy: LCMD | Coreset, z: Tensor, known: Tensor, n: int, seed: int = 0) -> Batch:
    tensors = {EMBEDDING: z, EMBEDDING.at("labelled"): known}
    return strategy.select(view_of(strategy, tensors, torch.arange(len(z)), len(known)), n, rng(seed))


def reference(z: Tensor, known: Tensor, n: int, weight: str) -> list[int]:
    """Clusters made anew for every pick."""
    centres, picks = list(known), []
    if not centres:
        picks.append(int(z.norm(dim=1).argmax()))
        centres.append(z[picks[0]])
    while len(picks) < n:
        gaps = torch.stack([(z - centre).square().sum(1) for centre in centres])
        squared, cluster = gaps.amin(0), gaps.argmin(0)
        left = torch.ones(len(z), dtype=torch.bool).index_fill_(0, torch.tensor(picks, dtype=torch.int64), False)
        each = {"squares": squared, "distances": squared.sqrt(), "counts": torch.ones_like(squared)}[weight] * left
        sums = [float(each[cluster == c].sum()) for c in range(len(centres))]
        heaviest = torch.tensor([c for c in range(len(centres)) if sums[c] == max(sums)])
        rows = (left & torch.isin(cluster, heaviest)).nonzero()[:, 0]
        picks.append(int(rows[squared[rows].argmax()]))
        centres.append(z[picks[-1]])
    return picks


def test_picks_of_the_card() -> None:
    batch = choose(LCMD(), LINE, ENDS, 3)
    assert batch.ids.tolist() == [3, 4, 1]
    assert batch.scores.tolist() == [3.0, 4.0, 1.0]
    assert int(choose(Coreset(), LINE, ENDS, 1).ids) == 4


@pytest.mark.parametrize("weight", ["squares", "distances", "counts"])
@pytest.mark.parametrize("labelled", [0, 1, 9])
@pytest.mark.parametrize("seed", range(4))
def test_picks_are_those_of_the_plain_walk(
    weight: Weight, labelled: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askwell.functional.heaviest.CENTRES", 4)
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", 60)
    z, known = draws(seed, 50, 3) + 7, draws(seed + 9, labelled, 3) + 7
    assert choose(LCMD(weight), z, known, 20).ids.tolist() == reference(z, known, 20, weight)


def test_a_row_between_two_centres_stays_with_the_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.heaviest.CENTRES", 1)
    points = Points(torch.tensor([[5.0], [16.0], [-4.0]]))
    for order, wanted in ((ENDS, 0), (ENDS.flip(0), 1)):
        assert int(lcmd(points, 1, torch.arange(3), points.beside(order)).rows) == wanted


def test_the_first_of_no_centres_is_the_longest_wherever_the_rows_lie() -> None:
    z = torch.tensor([[100.0, 100.0], [101.0, 100.0], [104.0, 96.0], [100.0, 99.0]])
    batch = choose(LCMD(), z, z[:0], 1)
    assert int(batch.ids) == int(z.norm(dim=1).argmax())
    assert float(batch.scores) == pytest.approx(float(z.norm(dim=1).max()), rel=1e-5)


def test_moving_and_turning_all_items_changes_nothing() -> None:
    z, known = draws(0, 60, 3), draws(1, 6, 3)
    turn = torch.linalg.qr(draws(2, 3, 3)).Q
    assert torch.equal(choose(LCMD(), z, known, 15).ids, choose(LCMD(), z @ turn + 5, known @ turn + 5, 15).ids)


def test_copies_of_centres_are_asked_last_and_at_random() -> None:
    found = [choose(LCMD(), torch.ones(4, 2), torch.ones(1, 2), 4, seed).ids.tolist() for seed in range(60)]
    assert all(sorted(rows) == [0, 1, 2, 3] for rows in found)
    assert {rows[0] for rows in found} == {0, 1, 2, 3}
    z = torch.tensor([[0.0], [0.0], [1.0], [2.0]])
    assert set(choose(LCMD(), z, torch.zeros(1, 1), 4).ids[:2].tolist()) == {2, 3}


def test_copies_of_centres_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "askwell"):
        choose(LCMD(), LINE, ENDS, 5)
        choose(LCMD(), torch.tensor([[0.0], [0.0], [1.0]]), torch.zeros(1, 1), 3)
    assert caplog.messages == ["lcmd: 2 of 3 items lie on labelled ones or earlier picks and are drawn at random"]


def test_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown weight of a cluster 'count': did you mean 'counts'"):
        LCMD("count")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(UnknownName, match=r"^unknown weight of a cluster 'square': did you mean 'squares'"):
        lcmd(Points(LINE), 1, torch.arange(5), weight="square")  # type: ignore[arg-type]  # likewise
    with pytest.raises(PoolExhausted, match=r"^cannot choose 6 items from 5 candidates: ask for 1 to 5$"):
        lcmd(Points(LINE), 6, torch.arange(5))


THEIRS = {
    (0, 0, "squares"): [16, 18, 23, 20, 6, 25],
    (0, 0, "distances"): [16, 18, 23, 20, 2, 25],
    (0, 5, "squares"): [17, 3, 23, 12, 7, 26],
    (0, 5, "distances"): [17, 23, 12, 3, 7, 26],
    (1, 5, "squares"): [13, 14, 7, 32, 21, 9],
    (1, 5, "distances"): [13, 17, 21, 7, 8, 28],
    (2, 5, "squares"): [7, 18, 33, 36, 37, 25],
}


@pytest.mark.parametrize(("seed", "labelled", "weight"), THEIRS)
def test_lcmd_agrees_with_bmdal_reg(seed: int, labelled: int, weight: Weight) -> None:
    """`LargestClusterMaxDistSelectionMethod` of bmdal_reg 3.0.2, features as they are: 200 of 200 pools per weight.

    Its mode "none" counts picks as members of their own clusters; so counted, ours agrees on 200 of 200 pools too.
    """
    found = choose(LCMD(weight), draws(seed, 40, 3), draws(seed + 10, labelled, 3), 6)
    assert found.ids.tolist() == THEIRS[seed, labelled, weight]


def test_defaults_are_those_of_the_card() -> None:
    assert LCMD() == LCMD(weight="squares")
