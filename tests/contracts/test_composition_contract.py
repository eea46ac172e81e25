"""Every row-wise score of the catalogue × every selector × prefilters."""

from __future__ import annotations

import warnings

import pytest
from test_strategy_contract import STRATEGIES, scenes_of
from torch import Generator

from askwell.core.stage import Prefilter, Selector, Stage, score_of, stages
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.errors import InputError
from askwell.strategies import NoDuplicates, Power, Random, Stochastic, Subsample, TopShare

SCORES = {name: part for name, part in STRATEGIES.items() if isinstance(part, ScoreStrategy) and part.rowwise}
SETS = [part for part in STRATEGIES.values() if not isinstance(part, ScoreStrategy | Stage)]
SELECTORS = [stages(part)[-1] for part in STRATEGIES.values() if isinstance(part, Selector)]
PREFILTERS = [Subsample(size=12), TopShare(beta=2), NoDuplicates(similarity=0.9)]


def picked(made: Strategy, score: Strategy, n: int = 5) -> list[int]:
    view = scenes_of(score)("gaps").view(made.needs, generous=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.select(view, n, Generator().manual_seed(0)).ids.tolist()


def selectors(score: ScoreStrategy) -> list[Strategy]:
    """Those that take such scores: a power is of scores that are not negative."""
    values = score.scores(scenes_of(score)("gaps").view(score.needs, generous=False))
    return [one for one in SELECTORS if float(values.min()) >= 0 or not isinstance(one, Power | Stochastic)]


@pytest.mark.parametrize("name", SCORES)
def test_every_selector_and_prefilter(name: str) -> None:
    score = SCORES[name]
    for prefilter in PREFILTERS:
        for selector in selectors(score):
            made = prefilter | score | selector
            assert score_of(made) == score
            assert stages(made) == (prefilter, score, selector)
            chosen = picked(made, score)
            assert len(set(chosen)) == 5
            assert set(chosen) <= set(scenes_of(score)("gaps").ids.tolist())


@pytest.mark.parametrize("name", SCORES)
def test_a_prefilter_of_everything_is_the_score_alone(name: str) -> None:
    score = SCORES[name]
    assert picked(Subsample(size=26) | score, score) == picked(score, score)


@pytest.mark.parametrize("part", SETS, ids=[part.name for part in SETS])
def test_sets_take_prefilters_and_no_selector(part: Strategy) -> None:
    assert stages(Subsample(size=9) | part) == (Subsample(size=9), part)
    with pytest.raises(
        InputError, match="chooses a set and gives no scores; a composition is prefilters, one strategy"
    ):
        _ = part | SELECTORS[0]


def test_there_is_something_to_compose() -> None:
    assert len(SCORES) >= 20
    assert len(SELECTORS) >= 10
    assert {part.name for part in STRATEGIES.values() if isinstance(part, Prefilter)} >= {
        "subsample-entropy", "top_share-coreset", "no_duplicates-margin", "one_per_cluster-entropy",
    }  # fmt: skip
    assert Random() in SETS
