"""Falcun: uncertain and unlike in probability space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import torch
from cluster_pools import probs
from scipy.stats import chisquare
from strategy_views import rng, view_of
from torch import Generator, Tensor

from askwell.core.needs import PROBS
from askwell.errors import InputError, UnknownName
from askwell.functional import relevance
from askwell.functional.pick import draw
from askwell.functional.relevance import relevant
from askwell.strategies import Falcun

CARD = torch.tensor([[0.50, 0.49, 0.01], [0.44, 0.40, 0.16], [0.46, 0.27, 0.27], [0.9, 0.05, 0.05]])
CARD = CARD.double()


def forced(picks: list[int], monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Makes the draws these rows, and collects the chances that each was drawn with."""
    rows: Iterator[int] = iter(picks)
    chances: list[Tensor] = []

    def draw(weights: Tensor, _: Generator) -> int:
        chances.append(weights / weights.sum())
        return next(rows)

    monkeypatch.setattr(relevance, "draw", draw)
    return chances


def test_chances_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = forced([0, 2], monkeypatch)
    relevant(CARD, 2, rng())
    assert chances[0].tolist() == pytest.approx([0.548043, 0.391724, 0.060233, 0.0], abs=1e-6)
    assert chances[1].tolist() == pytest.approx([0.0, 0.056319, 0.943681, 0.0], abs=1e-6)


def test_relevance_is_the_score() -> None:
    rows, scores = relevant(CARD, 4, rng(), gamma=float("inf"))
    assert rows[:2].tolist() == [0, 2]
    assert scores[:2].tolist() == pytest.approx([1.99, 1.81])


def test_draws_by_its_chances() -> None:
    view = view_of(Falcun(), {PROBS: CARD}, torch.arange(4))
    firsts = Counter(int(Falcun().select(view, 1, rng(seed)).ids) for seed in range(2000))
    wanted = [0.548043, 0.391724, 0.060233]
    assert chisquare([firsts[row] for row in range(3)], [2000 * p for p in wanted]).pvalue > 0.001


def test_gamma_0_draws_evenly_and_infinity_takes_the_most_relevant() -> None:
    firsts = Counter(int(relevant(CARD, 1, rng(seed), gamma=0)[0]) for seed in range(1000))
    assert chisquare([firsts[row] for row in range(4)]).pvalue > 0.001
    assert {int(relevant(CARD, 1, rng(seed), gamma=float("inf"))[0]) for seed in range(20)} == {0}


@pytest.mark.parametrize("gamma", [500.0, 1e6])
def test_large_powers_do_not_overflow(gamma: float) -> None:
    assert relevant(CARD, 2, rng(), gamma=gamma)[0].tolist() == [0, 2]


def test_copies_of_a_pick_keep_their_uncertainty_only(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = forced([0, 1], monkeypatch)
    relevant(torch.cat([CARD[:1], CARD]), 2, rng(), gamma=1)
    assert chances[1].tolist() == pytest.approx([0.0, *(v / sum(LEFT) for v in LEFT)], abs=1e-6)


LEFT = [0.99, 0.96 + 0.30 / 0.52, 0.81 + 1, 0.15 + 0.15 / 0.52]


def test_where_nothing_is_relevant_any_is_drawn_once() -> None:
    sure = torch.eye(3)[[0, 0, 0, 0]]
    assert all(sorted(relevant(sure, 4, rng(seed))[0].tolist()) == [0, 1, 2, 3] for seed in range(20))
    firsts = Counter(int(relevant(sure, 1, rng(seed))[0]) for seed in range(400))
    assert chisquare([firsts[row] for row in range(4)]).pvalue > 0.001


def test_the_last_row_is_not_drawn_for_the_rounding_of_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.pick.uniform", lambda n, _: torch.ones(n, dtype=torch.float64))
    assert draw(torch.tensor([0.0, 0.3, 0.1, 0.0]), rng()) == 2


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^gamma is -1: it must be at least 0$"):
        Falcun(gamma=-1)
    with pytest.raises(UnknownName, match=r"^unknown relevance 'u': did you mean 'u\+d'\? Known: d, u\+d$"):
        Falcun(relevance="u")  # type: ignore[arg-type]  # the wrong name is the point


@pytest.mark.parametrize(
    ("seed", "theirs"),
    [(0, [11, 5, 9, 1, 2, 8]), (1, [0, 10, 1, 15, 18, 11]), (2, [15, 7, 11, 1, 6, 4])],
    ids=["0", "1", "2"],
)
def test_falcun_agrees_with_its_repository_where_nothing_is_drawn(seed: int, theirs: list[int]) -> None:
    """`Falcun` of sobermeier/falcun at e257662, deterministic, "distance_unc_norm": 200 of 200 pools."""
    assert relevant(probs(seed, 20, 4), 6, rng(), gamma=float("inf"))[0].tolist() == theirs


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        ("u+d", [[5e-6, 0.141897, 0.84045, 0, 0, 0.017648], [5e-5, 0.806283, 0, 0, 0, 0.193666],
                 [0, 0.806324, 0, 0, 0, 0.193676]]),
        ("d", [[1e-5, 0.148655, 0.831283, 0, 0, 0.020052], [0.000136, 0.713776, 0, 0, 0, 0.286088],
               [0, 0.713873, 0, 0, 0, 0.286127]]),
    ],
)  # fmt: skip
def test_falcun_agrees_with_its_repository(
    kind: relevance.Relevance, theirs: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chances that the same repository gives to `np.random.choice`, within 1e-15 in 200 of 200 pools each.

    scikit-activeml 1.0.1 carries the scaled distance on and doubles the uncertainty at first: other chances.
    """
    chances = forced([2, 0, 4], monkeypatch)
    relevant(probs(0, 6, 3), 3, rng(), 10, kind)
    assert [chance.tolist() for chance in chances] == [pytest.approx(row, abs=2e-6) for row in theirs]


def test_defaults_are_those_of_the_card() -> None:
    assert Falcun() == Falcun(gamma=10, relevance="u+d")
