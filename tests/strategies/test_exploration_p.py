"""Exploration-P: unsure and not alike, far from what is known, and how many of each."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import EMBEDDING, MC_PROBS, PROBS, SIMILARITY
from askwell.core.view import Batch, RoundFacts
from askwell.errors import InputError, PoolExhausted, UnknownName
from askwell.functional.kernels import unit
from askwell.functional.marginal_relevance import marginal_relevance
from askwell.functional.uncertainty import entropy
from askwell.strategies import Coreset, Entropy, ExplorationP, MaxEntropy

SCORES = torch.tensor([1.0, 0.95, 0.6])
THREE = unit(torch.tensor([[1.0, 0.0], [0.98, 0.199], [0.0, 1.0]]))
F, KNOWN, P = draws(0, 60, 3), draws(1, 5, 3), probs(2, 60, 4)


def choose(strategy: ExplorationP, n: int, rounds: int = 0, seed: int = 0, known: Tensor = KNOWN) -> Batch:
    tensors = {PROBS: P, SIMILARITY: F, SIMILARITY.at("labelled"): known}
    view = view_of(strategy, tensors, torch.arange(60), len(known))
    view.history = [RoundFacts(round, (), ()) for round in range(rounds)]
    return strategy.select(view, n, rng(seed))


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return (a / a.norm(dim=1, keepdim=True)) @ (b / b.norm(dim=1, keepdim=True)).t()


@pytest.mark.parametrize(("alpha", "rows", "second"), [(0.0, [0, 1], 0.95), (0.5, [0, 2], 0.60), (1.0, [0, 2], 0.60)])
def test_exploitation_of_the_card(alpha: float, rows: list[int], second: float) -> None:
    found = marginal_relevance(SCORES, THREE, 2, torch.arange(3), alpha)
    assert found.rows.tolist() == rows
    assert_close(found.gains, torch.tensor([1.0, second]))


def test_the_score_that_is_passed_over() -> None:
    """With α = .5 row 1 scores .95 − .49 = .46, and −.03 with α = 1."""
    for alpha, third in ((0.5, 0.95 - 0.5 * 0.98), (1.0, 0.95 - 0.98)):
        found = marginal_relevance(SCORES, THREE, 3, torch.arange(3), alpha)
        assert float(found.gains[2]) == pytest.approx(third, abs=2e-3)


@pytest.mark.parametrize("alpha", [0.3, 2.0])
def test_marginal_relevance_is_its_definition(alpha: float) -> None:
    scores, alike = torch.rand(60, generator=rng()).double(), cosines(F, F)
    picks: list[int] = []
    for _ in range(12):
        value = scores - (alpha * alike[:, picks].amax(1) if picks else 0)
        picks.append(int(value.index_fill(0, torch.tensor(picks, dtype=torch.int64), -torch.inf).argmax()))
    assert marginal_relevance(scores, unit(F), 12, torch.arange(60), alpha).rows.tolist() == picks


def test_gains_are_as_exact_as_the_scores() -> None:
    scores = torch.tensor([1 / 3, 0.1, 0.2], dtype=torch.float64)
    assert marginal_relevance(scores, unit(THREE.rows.double()), 1, torch.arange(3), 0.5).gains[0] == scores[0]


def test_equal_rows_go_by_key() -> None:
    key = torch.tensor([2, 0, 3, 1])
    assert marginal_relevance(torch.ones(4), unit(torch.ones(4, 2)), 4, key, 0.5).rows.tolist() == [1, 3, 0, 2]
    with pytest.raises(PoolExhausted):
        marginal_relevance(torch.ones(4), unit(torch.ones(4, 2)), 5, key, 0.5)


@pytest.mark.parametrize("seed", range(3))
def test_all_unsure_without_likeness_is_entropy(seed: int) -> None:
    strategy = ExplorationP(alpha=0, start=1)
    plain = Entropy().select(view_of(Entropy(), {PROBS: P}, torch.arange(60)), 10, rng(seed))
    assert torch.equal(choose(strategy, 10, seed=seed).ids, plain.ids)
    once = MaxEntropy(draws=1)
    mc = once.select(view_of(once, {MC_PROBS(draws=1): P[:, None]}, torch.arange(60)), 10, rng(seed))
    assert torch.equal(choose(strategy, 10, seed=seed).ids, mc.ids)


def test_doubt_is_in_units_of_log_c() -> None:
    batch = choose(ExplorationP(start=1), 5)
    doubt, alike = entropy(P) / torch.tensor(4.0).log(), cosines(F, F)
    for place, row in enumerate(batch.ids.tolist()):
        likest = alike[row, batch.ids[:place]].max() if place else torch.tensor(0.0)
        assert float(batch.scores[place]) == pytest.approx(float(doubt[row] - 0.5 * likest), abs=1e-6)


def test_no_unsure_is_core_set_of_the_features() -> None:
    tensors = {EMBEDDING: unit(F).rows, EMBEDDING.at("labelled"): unit(KNOWN).rows}
    plain = Coreset().select(view_of(Coreset(), tensors, torch.arange(60), 5), 10, rng())
    assert torch.equal(choose(ExplorationP(start=0), 10).ids, plain.ids)


def test_likeness_that_counts_all_is_farthest_first() -> None:
    found = choose(ExplorationP(alpha=1e6, start=1), 10).ids.tolist()
    picks = [int(entropy(P).argmax())]
    for _ in range(9):
        picks.append(int(cosines(F, F[picks]).amax(1).argmin()))
    assert found == picks


@pytest.mark.parametrize(("rounds", "unsure"), [(0, 5), (1, 5), (2, 7), (6, 13), (11, 20), (30, 20)])
def test_the_unsure_part_grows_from_a_quarter_to_all(rounds: int, unsure: int) -> None:
    assert ExplorationP().unsure(20, rounds) == unsure
    assert ExplorationP(upper=0.5).unsure(20, rounds) == min(10, unsure)


def test_exploration_goes_on_from_labels_and_unsure_picks() -> None:
    batch = choose(ExplorationP(start=0.5), 8)
    rows, alike = batch.ids.tolist(), cosines(F, torch.cat([KNOWN, F]))
    known = list(range(5))
    for place in range(4, 8):
        likest = alike[:, known + [5 + row for row in rows[:place]]].amax(1)
        assert rows[place] == int(likest.argmin())
        assert float(batch.scores[place]) == pytest.approx(-float(likest.min()), abs=1e-6)


def test_random_exploration_reads_no_labelled_features() -> None:
    strategy = ExplorationP(start=0.5, explore="random")
    assert strategy.needs == (PROBS, SIMILARITY)
    found = [choose(strategy, 4, seed=seed).ids.tolist() for seed in range(60)]
    assert len({tuple(rows[:2]) for rows in found}) == 1
    assert len({rows[2] for rows in found}) > 25
    assert (choose(strategy, 4).scores[2:] == 0).all()


def test_without_labels_it_works() -> None:
    assert len(set(choose(ExplorationP(), 8, known=KNOWN[:0]).ids.tolist())) == 8
    assert len({int(choose(ExplorationP(start=0), 1, known=KNOWN[:0], seed=seed).ids) for seed in range(40)}) > 15


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^alpha of 'exploration_p' is -1: it must not be negative$"):
        ExplorationP(alpha=-1)
    with pytest.raises(InputError, match=r"^start of 'exploration_p' is 2: it must be from 0 to 1$"):
        ExplorationP(start=2)
    with pytest.raises(UnknownName, match=r"^unknown way to explore 'rndom': did you mean 'random'"):
        ExplorationP(explore="rndom")  # type: ignore[arg-type]  # the wrong name is the point
