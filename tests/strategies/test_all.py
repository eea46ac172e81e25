"""What every strategy of the room must do."""

from __future__ import annotations

import pickle
import warnings

import pytest
import torch
from strategy_views import rng, tensors_for, view_of

from askwell import strategies
from askwell.core.registry import catalogue, snake
from askwell.core.spec import build, config
from askwell.core.stage import stages
from askwell.core.strategy import Strategy
from askwell.errors import PoolExhausted
from askwell.functional.joint import Saturated
from askwell.strategies import (
    BADGE,
    BAIT,
    BALD,
    BEMPS,
    EPIG,
    AcsFW,
    BatchBALD,
    BinaryEntropy,
    ClassBalance,
    Committee,
    CoreLog,
    CoreMSE,
    Coreset,
    Entropy,
    GreedySampling,
    LeastConfidence,
    Margin,
    MaxEntropy,
    MeanSTD,
    MultiLabelBALD,
    PredictiveVariance,
    Random,
    Ratio,
    Stochastic,
    Subsample,
    Typiclust,
    VariationRatios,
)

PARTS: list[Strategy] = [
    AcsFW(draws=4),
    BAIT(),
    BAIT(width=3, classes=1),
    BEMPS(draws=4),
    BEMPS("mse", draws=4, share=1.0),
    Committee(draws=4),
    Committee("consensus", draws=4),
    Committee("kl", draws=4),
    CoreLog(draws=4),
    CoreMSE(draws=4),
    EPIG(draws=4),
    MaxEntropy(draws=4),
    MeanSTD(draws=4),
    Ratio(),
    BADGE(),
    BADGE(first="norm"),
    BADGE(first="uniform"),
    BALD(draws=4),
    BatchBALD(draws=4, samples=100),
    BinaryEntropy(),
    BinaryEntropy("max"),
    ClassBalance(Margin()),
    Coreset(),
    Entropy(),
    GreedySampling("inputs"),
    LeastConfidence(),
    Margin(),
    MultiLabelBALD(draws=4),
    PredictiveVariance(draws=4),
    Random(),
    Stochastic(Entropy()),
    Stochastic(Margin(), kind="softmax", beta=2.0),
    Stochastic(LeastConfidence(), kind="softrank"),
    Subsample(Margin(), size=9),
    Subsample(BADGE(), size=9),
    Typiclust(max_clusters=4),
    VariationRatios(draws=4),
    VariationRatios("votes", draws=4),
]
POOL = 23
ids = [repr(part) for part in PARTS]


def quietly(strategy: Strategy, view: object, n: int, seed: int = 0) -> list[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Saturated)
        return strategy.select(view, n, rng(seed)).ids.tolist()


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
@pytest.mark.parametrize("labelled", [0, 5])
@pytest.mark.parametrize("n", [1, 7, POOL])
def test_picks_distinct_candidates(strategy: Strategy, n: int, labelled: int) -> None:
    chosen = quietly(strategy, view_of(strategy, tensors_for(strategy, POOL, labelled), pool_ids(), labelled), n)
    assert len(set(chosen)) == n
    assert set(chosen) <= set(pool_ids().tolist())


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
@pytest.mark.parametrize("n", [0, POOL + 1])
def test_refuses_more_than_there_are(strategy: Strategy, n: int) -> None:
    with pytest.raises(PoolExhausted):
        strategy.select(view_of(strategy, tensors_for(strategy, POOL), pool_ids(), 5), n, rng())


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
def test_same_seed_same_picks_and_no_global_generator_moves(strategy: Strategy) -> None:
    tensors = tensors_for(strategy, POOL)
    before = torch.get_rng_state()
    first = quietly(strategy, view_of(strategy, tensors, pool_ids(), 5), 6)
    assert quietly(strategy, view_of(strategy, tensors, pool_ids(), 5), 6) == first
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
def test_leaves_its_tensors_alone(strategy: Strategy) -> None:
    tensors = tensors_for(strategy, POOL)
    view = view_of(strategy, tensors, pool_ids(), 5)
    given = {need: view[need] for need in strategy.needs}
    versions = {need: tensor._version for need, tensor in given.items()}
    quietly(strategy, view, 6)
    assert {need: tensor._version for need, tensor in given.items()} == versions


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
@pytest.mark.parametrize("kind", ["identical", "one-hot", "uniform"])
def test_degenerate_pools(strategy: Strategy, kind: str) -> None:
    tensors = tensors_for(strategy, POOL)
    for need, tensor in tensors.items():
        if need.name in ("probs", "mc_probs"):
            flat = torch.full_like(tensor, 1 / 3)
            tensors[need] = {"identical": tensor[:1].expand_as(tensor), "uniform": flat}.get(kind, hot(tensor))
        elif need.name != "labels":
            tensors[need] = tensor[:1].expand_as(tensor)
    chosen = quietly(strategy, view_of(strategy, tensors, pool_ids(), 5), POOL)
    assert sorted(chosen) == pool_ids().tolist()


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
def test_says_the_same_by_repr_by_json_and_by_pickle(strategy: Strategy) -> None:
    again = eval(repr(strategy), vars(strategies))
    assert again == strategy
    assert hash(again) == hash(strategy)
    assert build("strategies", config(strategy)) == strategy
    assert pickle.loads(pickle.dumps(strategy)) == strategy


@pytest.mark.parametrize("strategy", PARTS, ids=ids)
def test_is_found_by_name(strategy: Strategy) -> None:
    assert catalogue("strategies")[snake(type(strategy).__name__)] is type(strategy)
    assert strategy.name == "-".join(snake(type(stage).__name__) for stage in stages(strategy))


DETERMINISTIC = [
    AcsFW(draws=4), BAIT(), Committee("kl", draws=4), CoreMSE(draws=4), EPIG(draws=4), MaxEntropy(draws=4),
    MeanSTD(draws=4), Ratio(),
    BALD(draws=4), BinaryEntropy(), Coreset(), Entropy(), GreedySampling(), LeastConfidence(), Margin(),
    PredictiveVariance(draws=4), VariationRatios(draws=4),
]  # fmt: skip


@pytest.mark.parametrize("strategy", DETERMINISTIC, ids=map(repr, DETERMINISTIC))
def test_permuted_rows_permute_the_answer(strategy: Strategy) -> None:
    tensors = tensors_for(strategy, POOL)
    order = torch.randperm(POOL, generator=rng(3))
    moved = {need: tensor[order] if need.over == "candidates" else tensor for need, tensor in tensors.items()}
    labels = torch.arange(POOL)
    chosen = quietly(strategy, view_of(strategy, tensors, labels, 5), 8)
    assert order[quietly(strategy, view_of(strategy, moved, labels, 5), 8)].tolist() == chosen


def pool_ids() -> torch.Tensor:
    return 3 + 7 * torch.arange(POOL)


def hot(tensor: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(tensor.argmax(-1), tensor.shape[-1]).to(tensor)
