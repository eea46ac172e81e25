"""Refine: what a pool is after each pass, and who chooses from the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, FEATURES, LABELS, PROBS, Need
from askwell.core.spec import build, config, parse
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.recipes import refine
from askwell.strategies import BADGE, CAL, Coreset, Margin, Random, Refine, Stream, Uherding

SEEN: list[tuple[str, list[int], int]] = []
STATES: list[tuple[str, dict[str, object]]] = []


@dataclass(frozen=True)
class Ordered(ScoreStrategy):
    """Takes the lowest ids, or the highest; notes what it sees."""

    name_: str
    highest: bool = False

    rowwise: ClassVar[bool] = False

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return view.ids.double() * (1 if self.highest else -1)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        SEEN.append((self.name_, view.ids.tolist(), n))
        STATES.append((self.name_, dict(view.state)))
        return super().choose(view, n, rng)


@pytest.fixture(autouse=True)
def _forget() -> None:
    SEEN.clear()
    STATES.clear()


def choose(strategy: Strategy, rows: int, n: int, seed: int = 0) -> Batch:
    p, z = probs(1, rows, 3), draws(2, rows, 3)
    tensors = {
        PROBS: p, EMBEDDING: z, FEATURES: z, EMBEDDING.at("labelled"): draws(3, 4, 3),
        FEATURES.at("labelled"): draws(3, 4, 3), LABELS: torch.tensor([0, 1, 2, 0]),
    }  # fmt: skip
    return strategy.select(view_of(strategy, tensors, 3 * torch.arange(rows), 4), n, rng(seed))


def pools(who: str) -> list[list[int]]:
    return [ids for name, ids, _ in SEEN if name == who]


def test_pools_of_the_card() -> None:
    """Two that disagree leave the two best of each, and the next pass changes nothing."""
    strategy = Refine((Ordered("low"), Ordered("high", True)), Ordered("last"), depth=2, batches=2, alpha=1.0)
    batch = choose(strategy, 6, 2)
    assert pools("low") == [[0, 3, 6, 9, 12, 15], [0, 3, 12, 15]]
    assert pools("last") == [[0, 3, 12, 15]]
    assert batch.ids.tolist() == [0, 3]
    assert batch.scores.tolist() == [0.0, -3.0]


def test_every_strategy_chooses_as_many_batches() -> None:
    """Nine strategies and 100 batches: 11 each, from parts of their own; a pool has 990 items at most, a part 396."""
    members = tuple(Ordered(f"{place}", place % 2 == 1) for place in range(9))
    choose(Refine(members, Ordered("last"), depth=2, size=50), 2000, 10)
    for place in range(9):
        seen = pools(f"{place}")
        assert len(seen) == 22
        assert {len(ids) for ids in seen[:11]} == {50}
        assert len({tuple(ids) for ids in seen[:11]}) == 11
    first, last = len(pools("0")[11]), len(pools("last")[0])
    assert first <= 396
    assert last <= 990
    assert all(n == 10 for _, _, n in SEEN)


def test_parts_shrink_with_the_pool() -> None:
    strategy = Refine((Ordered("low"),), Ordered("last"), depth=3, batches=20, alpha=0.5, size=30)
    choose(strategy, 300, 4)
    found, seen = [pools("low")[20 * turn : 20 * turn + 20] for turn in range(3)], pools("last")[0]
    pool = len({row for ids in found[1] for row in ids})
    assert {len(ids) for ids in found[0]} == {30}
    assert len({len(ids) for ids in found[1]}) == 1
    assert len(found[1][0]) <= pool
    assert len(found[2][0]) <= len(found[1][0])
    assert len(seen) <= pool
    assert set(seen) <= {row for ids in found[2] for row in ids}


def test_a_pool_has_at_most_so_many() -> None:
    strategy = Refine((Random(),), Ordered("last"), depth=1, batches=30, most=25)
    found = [choose(strategy, 500, 5, seed).ids for seed in range(3)]
    assert {len(ids) for ids in pools("last")} == {25}
    assert not torch.equal(found[0], found[1])


def test_without_depth_it_is_the_selector() -> None:
    for selector in (Uherding(), BADGE(), Coreset()):
        plain = choose(selector, 60, 7)
        found = choose(Refine((Margin(), Random()), selector, depth=0), 60, 7)
        assert torch.equal(found.ids, plain.ids)
        assert torch.equal(found.scores, plain.scores)


@pytest.mark.parametrize("depth", [1, 3])
def test_results_are_distinct_and_what_the_filters_wanted(depth: int) -> None:
    strategy = Refine((Margin(), Coreset()), Uherding(), depth=depth, batches=6, size=40)
    ids = choose(strategy, 120, 6).ids.tolist()
    assert len(set(ids)) == 6
    all_of_them = choose(strategy, 12, 12).ids.tolist()
    assert sorted(all_of_them) == list(range(0, 36, 3))


def test_needs_are_computed_once() -> None:
    strategy, asked = Refine((Margin(), Coreset()), Uherding(), depth=2, batches=4, size=20), []
    tensors = {PROBS: probs(1, 50, 3), EMBEDDING: draws(2, 50, 3), FEATURES: draws(2, 50, 3)}

    def fetch(needs: tuple[Need, ...], sets: object) -> dict[Need, Tensor]:
        asked.append(needs)
        return {need: tensors[need.at("candidates")][: 50 if need.over == "candidates" else 4] for need in needs}

    view = View(torch.arange(50), strategy.needs, fetch, sets={"labelled": torch.arange(50, 54)})
    strategy.select(view, 5, rng())
    assert asked == [strategy.needs]


def test_the_state_is_the_selectors() -> None:
    strategy = Refine((Ordered("low"),), Ordered("last"), depth=1, batches=1)
    view = view_of(strategy, {PROBS: probs(1, 9, 3)})
    view.state = {"seen": 3}
    strategy.select(view, 2, rng())
    assert STATES == [("low", {}), ("last", {"seen": 3})]


def test_it_works_without_labels_if_all_of_them_do() -> None:
    assert Refine((Margin(),), Coreset()).cold_start
    assert not Refine((CAL(), Margin()), Coreset()).cold_start
    assert not Refine((Margin(),), CAL(), depth=0).cold_start
    assert Refine((CAL(),), Coreset(), depth=0).cold_start


def test_it_can_be_written_and_read() -> None:
    text = "refine(strategies=(margin, badge), selector=coreset, depth=1, batches=4)"
    strategy = parse("strategies", text)
    assert strategy == Refine((Margin(), BADGE()), Coreset(), depth=1, batches=4)
    assert build("strategies", config(strategy)) == strategy
    assert len(refine().strategy.strategies) == 9


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^refine needs at least one strategy that filters$"):
        Refine((), Margin())
    with pytest.raises(
        InputError, match=r"^refine needs strategies that ask for as many unlabelled items as wanted, got"
    ):
        Refine((Margin(), Stream(Margin())), Margin())
    with pytest.raises(InputError, match=r"^batches of 'refine' is 1: it must be at least 2$"):
        Refine((Margin(), Random()), Margin(), batches=1)
    with pytest.raises(InputError, match=r"^alpha of 'refine' is 0: it must be above 0 and at most 1$"):
        Refine((Margin(),), Margin(), alpha=0)
