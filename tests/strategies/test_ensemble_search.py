"""Ensemble search: the scores of stored draws, from sums."""

from __future__ import annotations

import pytest
import torch
from strategy_views import rng, view_of
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import MEAN_ENTROPY, MEAN_PROBS, VOTE_SHARES, Need
from askwell.errors import UnknownName
from askwell.functional.information import bald, entropy_of_mean, vr_votes
from askwell.functional.tally import Tally
from askwell.learners import Ensemble, Net
from askwell.recipes.ensemble_search import ensemble_search
from askwell.schemes import Checkpoints
from askwell.strategies import EnsembleSearch, VariationRatios

SEEDS = (3, 17, 58, 121)


def pool_of(seed: int, *shape: int) -> Tensor:
    return torch.softmax(2 * torch.randn(*shape, generator=rng(seed), dtype=torch.float64), -1)


def sizes(seed: int) -> tuple[int, int, int, int]:
    """N, K, C and n of one pool."""
    return 20 + seed % 31, 3 + seed % 6, 2 + seed % 5, 1 + seed % 7


def summed(mc: Tensor) -> dict[Need, Tensor]:
    """The needs of a committee whose draws are (N, K, C)."""
    tally, draws = Tally(len(mc), mc.shape[2]), mc.shape[1]
    tally.extend(mc)
    return {need(draws=draws): getattr(tally, need.name) for need in (MEAN_PROBS, MEAN_ENTROPY, VOTE_SHARES)}


def picks(kind: str, mc: Tensor, n: int) -> list[int]:
    strategy = EnsembleSearch(kind, draws=mc.shape[1])
    return strategy.select(view_of(strategy, summed(mc), torch.arange(len(mc))), n, rng()).ids.tolist()


@pytest.mark.parametrize("seed", range(0, 200, 20))
def test_scores_are_those_of_stored_draws(seed: int) -> None:
    rows, draws, classes, _ = sizes(seed)
    mc = pool_of(seed, rows, draws, classes)
    for kind, stored in (("entropy", entropy_of_mean(mc)), ("bald", bald(mc))):
        strategy = EnsembleSearch(kind, draws=draws)
        assert_close(strategy.score(view_of(strategy, summed(mc))), stored, atol=1e-10, rtol=0)
    votes, alike = EnsembleSearch("votes", draws=draws), VariationRatios("votes", draws=draws)
    stored_view = view_of(alike, {alike.needs[0]: mc})
    assert_close(votes.score(view_of(votes, summed(mc))).float(), alike.score(stored_view), atol=1e-6, rtol=0)


def test_votes_of_the_card() -> None:
    """0, 0, 1, 2, 0 leaves two of five."""
    strategy = EnsembleSearch("votes", draws=5)
    mc = torch.eye(3, dtype=torch.float64)[torch.tensor([[0, 0, 1, 2, 0]])]
    less = float(entropy_of_mean(mc)) / 6 / torch.tensor(3.0).log().item()
    assert float(strategy.score(view_of(strategy, summed(mc)))) == pytest.approx(0.4 + less, abs=1e-7)


def test_equal_votes_are_told_apart_by_the_entropy_of_the_mean() -> None:
    mc = torch.tensor([[[0.9, 0.1], [0.8, 0.2]], [[0.6, 0.4], [0.7, 0.3]], [[0.9, 0.1], [0.4, 0.6]]])
    assert picks("votes", mc, 3) == [2, 1, 0]
    assert vr_votes(mc).tolist() == [0, 0, 0.5]


def test_noise_is_no_disagreement() -> None:
    """Members that all say one half have all the entropy and no information."""
    mc = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]], [[0.9, 0.1], [0.9, 0.1]]])
    assert picks("entropy", mc, 2)[0] in (0, 1)
    assert picks("bald", mc, 1) == [1]


def test_entropy_and_bald_agree_with_baal() -> None:
    """baal 2.1.0, `Entropy` and `BALD` on the stored draws: 200 of 200 pools each."""
    entropies = ([9, 11, 1, 8], [9, 15, 18, 5], [7, 13, 21], [5, 38, 26])
    disagreements = ([7, 14, 13, 22], [13, 16, 25, 12], [19, 23, 28], [14, 17, 8])
    for seed, entropy, disagreement in zip(SEEDS, entropies, disagreements, strict=True):
        rows, draws, classes, n = sizes(seed)
        mc = pool_of(seed, rows, draws, classes)
        assert picks("entropy", mc, n) == entropy
        assert picks("bald", mc, n) == disagreement


def test_votes_agree_with_scikit_activeml() -> None:
    """scikit-activeml 1.0.1, `variation_ratios`: the best scores, for ties are many, on 200 of 200 pools."""
    public = ([2 / 3] * 4, [3 / 4] * 4, [5 / 7] * 3, [1 / 2] * 3)
    for seed, wanted in zip(SEEDS, public, strict=True):
        rows, draws, classes, n = sizes(seed)
        mc = pool_of(seed, rows, draws, classes)
        assert vr_votes(mc)[picks("votes", mc, n)].tolist() == pytest.approx(wanted, abs=1e-6)


def test_settings() -> None:
    with pytest.raises(UnknownName, match=r"^unknown kind of ensemble search 'vote': did you mean 'votes'\?"):
        EnsembleSearch("vote")  # type: ignore[arg-type]  # the wrong name is the point
    recipe = ensemble_search()
    assert (recipe.learner, recipe.scheme) == (Ensemble(3, Net(), inner_draws=4), Checkpoints(last=4))
    assert recipe.learner.most_draws == recipe.strategy.draws == 12
