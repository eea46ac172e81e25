"""FF-Active: a random phase, then farthest-first."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING
from askwell.core.view import Batch, RoundFacts, View
from askwell.errors import InputError
from askwell.strategies import Coreset, FFActive

LINE = torch.tensor([[1.0], [2.0], [3.0], [4.0], [10.0]])
ZERO = torch.zeros(1, 1)


def choose(strategy: FFActive | Coreset, z: Tensor, known: Tensor, n: int, rounds: int = 0, seed: int = 0) -> Batch:
    view = view_of(strategy, {EMBEDDING: z, EMBEDDING.at("labelled"): known}, torch.arange(len(z)), len(known))
    view.history = [RoundFacts(round, (), ()) for round in range(rounds)]
    return strategy.select(view, n, rng(seed))


def test_picks_of_the_card() -> None:
    batch = choose(FFActive(), LINE, ZERO, 2)
    assert (batch.ids.tolist(), batch.scores.tolist()) == ([4, 3], [10.0, 4.0])


def test_a_copy_of_a_pick_comes_last() -> None:
    z = torch.cat([LINE, LINE[4:]])
    assert {int(choose(FFActive(), z, ZERO, 6).ids[place]) for place in (0, -1)} == {4, 5}


def test_picks_are_the_brute_force_farthest() -> None:
    z, known = draws(0, 50, 3), draws(1, 4, 3)
    centres, picks = list(known), []
    for _ in range(12):
        nearest = torch.stack([(z - centre).norm(dim=1) for centre in centres]).amin(0)
        picks.append(int(nearest.argmax()))
        centres.append(z[picks[-1]])
    assert choose(FFActive(), z, known, 12).ids.tolist() == picks


@pytest.mark.parametrize("seed", range(5))
def test_after_the_random_rounds_it_is_core_set(seed: int) -> None:
    z, known = draws(seed, 60, 4), draws(seed + 9, 5, 4)
    for copies in (z, z.round()):
        ours, theirs = choose(FFActive(), copies, known, 20), choose(Coreset(), copies, known, 20)
        assert torch.equal(ours.ids, theirs.ids)
        assert torch.equal(ours.scores, theirs.scores)


@pytest.mark.parametrize(
    ("random_rounds", "rounds", "labelled", "is_random"),
    [
        (1, 0, 0, True), (1, 0, 1, False), (1, 1, 1, False), (0, 0, 0, False), (3, 0, 1, True), (3, 2, 1, True),
        (3, 3, 1, False),
    ],
)  # fmt: skip
def test_which_rounds_are_random(random_rounds: int, rounds: int, labelled: int, is_random: bool) -> None:
    strategy = FFActive(random_rounds)
    found = Counter(int(choose(strategy, LINE, ZERO[:labelled], 1, rounds, seed).ids) for seed in range(60))
    first = choose(strategy, LINE, ZERO[:labelled], 1, rounds)
    assert (len(found) > 1) == (is_random or not labelled)
    assert (float(first.scores) == 0.0) == is_random


def test_a_random_round_reads_no_activations() -> None:
    view = View(torch.arange(5), FFActive().needs, lambda *_: {})
    assert len(FFActive().select(view, 5, rng()).ids) == 5


@pytest.mark.parametrize("turn", [False, True])
def test_moving_and_scaling_all_items_changes_nothing(turn: bool) -> None:
    z, known = draws(0, 60, 3), draws(1, 6, 3)
    map_ = 3 * (torch.linalg.qr(draws(2, 3, 3)).Q if turn else torch.eye(3, dtype=torch.float64))
    assert torch.equal(choose(FFActive(), z, known, 15).ids, choose(FFActive(), z @ map_ + 5, known @ map_ + 5, 15).ids)


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^random_rounds of 'ff_active' is -1: it must not be negative$"):
        FFActive(-1)


THEIRS = {
    0: [23, 17, 16, 14, 0, 1, 25, 2],
    1: [7, 33, 29, 14, 13, 15, 28, 18],
    2: [25, 7, 36, 5, 18, 23, 39, 26],
}


@pytest.mark.parametrize("seed", THEIRS)
def test_it_agrees_with_core_set_of_scikit_activeml(seed: int) -> None:
    """`CoreSet` of scikit-activeml 1.0.1, pools of 40 rows with 5 labelled ones: 200 of 200.

    No code of FF-Active itself is public.
    """
    assert choose(FFActive(), draws(seed, 40, 3), draws(seed + 1000, 5, 3), 8).ids.tolist() == THEIRS[seed]
