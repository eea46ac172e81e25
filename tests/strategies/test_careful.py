"""A random choice among the candidates that the net is less sure of than of the labels."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng

from askwell.core.view import View
from askwell.errors import ColdStart
from askwell.functional.information import entropy_of_mean
from askwell.recipes import bayes_semisup
from askwell.strategies import Careful, MaxEntropy

STRATEGY = Careful(draws=4, labelled_draws=4)


def view(candidates, labelled):
    own, known = STRATEGY.needs
    return View(
        torch.arange(len(candidates)),
        STRATEGY.needs,
        lambda needs, sets: {own: candidates[sets["candidates"]], known: labelled},
        sets={"labelled": torch.arange(100, 100 + len(labelled))},
    )


def draws(*firsts):
    p = torch.tensor(firsts)[:, None].expand(-1, 4)
    return torch.stack([p, 1 - p], 2)


LABELLED = draws(0.9, 0.8)
"""Entropies .3251 and .5004: the threshold is .4127."""


def test_scores_are_one_above_the_threshold_and_the_entropy_below():
    scores = STRATEGY.scores(view(draws(0.5, 0.86, 0.85, 0.99), LABELLED))
    assert scores.tolist() == pytest.approx([0.693147, 0.404964, 0.693147, 0.056002], abs=1e-6)


def test_every_doubtful_one_comes_equally_often():
    """Of ten, six are above the threshold; χ² over 3000 choices of one, 5 degrees of freedom, .001."""
    mc = draws(0.5, 0.6, 0.7, 0.75, 0.8, 0.84, 0.9, 0.95, 0.99, 1.0)
    generator = rng()
    picks = torch.tensor([int(STRATEGY.select(view(mc, LABELLED), 1, generator).ids) for _ in range(3000)])
    counts = torch.bincount(picks, minlength=10).double()
    assert counts[6:].sum() == 0
    assert float(((counts[:6] - 500) ** 2 / 500).sum()) < 20.515


def test_a_batch_is_filled_by_entropy():
    mc = draws(0.95, 0.5, 0.9, 0.99, 0.6)
    ids = STRATEGY.select(view(mc, LABELLED), 4, rng()).ids.tolist()
    assert set(ids[:2]) == {1, 4}
    assert ids[2:] == [2, 0]


def test_the_released_rule():
    """mrottmann/DeepBASS at 088b51b: candidates with entropy above the mean of the labelled ones' entropies."""
    generator = rng(3)
    for _ in range(200):
        mc, known = (torch.softmax(3 * torch.randn(n, 4, 5, generator=generator), 2) for n in (30, 8))
        above = (entropy_of_mean(mc) > entropy_of_mean(known).mean()).nonzero()[:, 0].tolist()
        n = max(1, len(above) // 2)
        ids = STRATEGY.select(view(mc, known), n, generator).ids.tolist()
        assert not above or set(ids) <= set(above)


def test_it_needs_labels():
    with pytest.raises(ColdStart, match="needs labelled items and there are none"):
        STRATEGY.select(view(draws(0.5), LABELLED[:0]), 1, rng())


def test_labels_after_so_many_iterations():
    """100 + 10·⌊n / 10⌋ labels after n iterations: the card's count."""
    recipe = bayes_semisup()
    per_round = recipe.scheme.iterations
    for n in (0, 9, 10, 25, 200):
        assert recipe.initial_size + recipe.batch * (n // per_round) == 100 + 10 * (n // 10)
    assert recipe.strategy == MaxEntropy(draws=10)
