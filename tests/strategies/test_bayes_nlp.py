"""BALD for sentences: shares of votes, and whom a tie goes to; recipes of the Bayesian networks."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng
from torch import Tensor

from askwell.functional.information import mean_log_confidence, vr_votes
from askwell.learners import Ensemble, Net
from askwell.models import TextCNN
from askwell.recipes.bayes_nlp import bayes_nlp
from askwell.recipes.bayes_nlp_bb import bayes_nlp_bb
from askwell.recipes.debal import debal
from askwell.recipes.dpe import dpe
from askwell.recipes.layer_position import layer_position
from askwell.schemes import DPE, Variational
from askwell.strategies import BALD, BayesNLP, VariationRatios
from askwell.testing import view_of

SEEDS = (3, 17, 58, 121)


def pool_of(seed: int, *shape: int) -> Tensor:
    return torch.softmax(2 * torch.randn(*shape, generator=rng(seed), dtype=torch.float64), -1)


def sizes(seed: int) -> tuple[int, int, int, int]:
    """N, K, C and n of one pool."""
    return 20 + seed % 31, 3 + seed % 6, 2 + seed % 5, 1 + seed % 7


def picks(mc: Tensor, n: int) -> list[int]:
    return BayesNLP(draws=mc.shape[1]).select(view_of(mc_probs=mc), n, rng()).ids.tolist()


def test_votes_of_the_card() -> None:
    """0, 0, 1, 2, 0 leaves .4, whatever the rest; one draw leaves nothing."""
    sure = torch.eye(3)[torch.tensor([[0, 0, 1, 2, 0]])]
    assert BayesNLP(draws=5).score(view_of(mc_probs=sure)).tolist() == pytest.approx([0.4])
    assert vr_votes(pool_of(0, 9, 1, 4)).abs().max() == 0


def test_equal_votes_go_to_the_lower_log_probability() -> None:
    """All of one label: the draws that are less sure of it come first, then by how many leave it."""
    mc = torch.tensor(
        [
            [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]],
            [[0.6, 0.4], [0.7, 0.3], [0.6, 0.4]],
            [[0.99, 0.01], [0.99, 0.01], [0.01, 0.99]],
            [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]],
        ]
    )
    assert picks(mc, 4) == [3, 2, 1, 0]


def test_a_tie_break_is_less_than_one_vote() -> None:
    """The least sure of those that agree still comes after the surest of those of whom one in K does not."""
    draws = 100
    agree = torch.full((1, draws, 2), 0.5)
    agree[..., 0] += 1e-4
    agree[..., 1] -= 1e-4
    one_leaves = torch.eye(2)[[0] * (draws - 1) + [1]][None]
    assert picks(torch.cat([agree, one_leaves]), 2) == [1, 0]


def test_log_probability_is_of_the_label_that_a_draw_gives() -> None:
    """Mean of logarithms, so that one unsure draw weighs more than in the mean of probabilities."""
    even = torch.tensor([[[0.75, 0.25], [0.75, 0.25]]])
    uneven = torch.tensor([[[0.98, 0.02], [0.53, 0.47]]])
    assert float(mean_log_confidence(even)) > float(mean_log_confidence(uneven))
    assert float(even.amax(2).mean()) < float(uneven.amax(2).mean())
    assert picks(torch.cat([even, uneven]), 1) == [1]


def test_official_code_ranks_ties_by_the_mean_probability() -> None:
    """asiddhant/Active-NLP 906bea5, `get_mnlp_mc` on stored draws: 200 of 200 pools with the mean probability in place
    of its logarithm, the same order on 113 with the logarithm, the same items on 154."""
    public = ([1, 8, 21, 3], [34, 15, 3, 16], [38, 26, 30], [29, 40, 0])
    same = []
    for seed, wanted in zip(SEEDS, public, strict=True):
        rows, draws, classes, n = sizes(seed)
        mc = pool_of(seed, rows, draws, classes)
        by_probability = vr_votes(mc) - mc.amax(2).mean(1) / (draws + 1)
        assert by_probability.topk(n).indices.tolist() == wanted
        same.append(picks(mc, n) == wanted)
    assert same == [False, True, False, False]


def test_official_code_by_backprop_sorts_by_probability_first() -> None:
    """asiddhant/Active-NLP 906bea5, `get_mnlp_bb`, whose keys stand the other way round: 200 of 200 pools."""
    public = ([4, 1, 8, 21], [9, 10, 22, 24], [24, 11, 46], [29, 22, 37])
    for seed, wanted in zip(SEEDS, public, strict=True):
        rows, draws, classes, n = sizes(seed)
        mc = pool_of(seed, rows, draws, classes)
        assert (-mc.amax(2).mean(1)).topk(n).indices.tolist() == wanted
        assert picks(mc, n) != wanted


def test_numbers_of_the_cards() -> None:
    sentences = bayes_nlp()
    assert sentences.learner == Net(TextCNN(embedding=300, filters=100, widths=(3, 4, 5), dropout=0.5))
    assert (sentences.strategy, sentences.initial_size, sentences.batch) == (BayesNLP(draws=100), 109, 109)
    numbers = (sentences.scheme.epochs, sentences.scheme.batch, sentences.scheme.lr, sentences.scheme.kind)
    assert numbers == (10, 50, 1e-3, "adam")
    by_backprop = bayes_nlp_bb()
    assert isinstance(by_backprop.scheme, Variational)
    assert (by_backprop.scheme.epochs, by_backprop.scheme.prior) == (25, pytest.approx(2.718281828**-3, abs=1e-3))
    assert (by_backprop.strategy, by_backprop.learner) == (sentences.strategy, sentences.learner)
    assert (dpe().scheme, dpe().strategy, dpe().rounds) == (DPE(members=8, beta=1e-5), BALD(draws=8), 3)
    assert (debal().learner, debal().strategy) == (Ensemble(3, Net(), inner_draws=100), BALD(draws=300))
    few = layer_position()
    assert (few.scheme, few.strategy) == (Variational(layers=2), VariationRatios(draws=100))
