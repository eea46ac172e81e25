"""Streams: every item is met once, in an order, and asked about at once or never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from askwell.core.budget import Manager
from askwell.core.needs import PROBS
from askwell.core.registry import find
from askwell.core.spec import build, config, parse
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import BadShape, InputError, PoolExhausted, UnknownName, UnmetNeeds
from askwell.managers import Fixed, Quantile, Randomised, Region, Split, Variable
from askwell.strategies import (
    BADGE,
    CAL,
    BatchBALD,
    Committee,
    CrowdIntents,
    Entropy,
    LeastConfidence,
    Margin,
    MaxEntropy,
    Random,
    Stream,
)
from askwell.strategies.stream import AHEAD

GENEROUS = Variable(budget=1.0, rate=0.0, threshold=0.6)
"""Asks about every confidence below .6."""


@dataclass(frozen=True)
class Given(ScoreStrategy):
    """Scores are the first probability."""

    confidence: ClassVar[bool] = True

    @property
    def needs(self):
        return (PROBS,)

    def score(self, view):
        return view[PROBS][:, 0]


@dataclass(frozen=True)
class EveryThird(Manager):
    """Somebody's own manager, which looks at no score."""

    first: int = 0

    def start(self, classes):
        return {"seen": self.first}

    def decide(self, memory, score, *chance):
        memory["seen"] += 1
        return memory["seen"] % 3 == 0


class Pool:
    """Items with scores; every view notes which of them were scored."""

    def __init__(self, scores, classes=2):
        self.scores, self.classes = torch.as_tensor(scores, dtype=torch.float32), classes
        self.scored = []

    def view(self, ids, state=None, history=()):
        def fetch(needs, sets):
            self.scored += sets["candidates"].tolist()
            return {PROBS: torch.stack([self.scores[sets["candidates"]]] * 2, 1)}

        ids = torch.as_tensor(ids)
        return View(ids, (PROBS,), fetch, num_classes=self.classes, state=state, history=history)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def met(state):
    return np.flatnonzero(np.unpackbits(state["passed"])).tolist()


def test_it_stops_at_n_questions_and_goes_on_behind_the_last():
    pool = Pool([0.9, 0.1, 0.9, 0.1, 0.9, 0.9])
    stream = Stream(Given(), GENEROUS, "arrival")
    first = stream.select(pool.view(range(6)), 2, rng())
    assert (first.ids.tolist(), first.state["seen"], met(first.state)) == ([0, 2], 3, [0, 1, 2])
    assert first.scores.tolist() == pytest.approx([0.9, 0.9])
    second = stream.select(pool.view([1, 3, 4, 5], first.state), 1, rng())
    assert (second.ids.tolist(), second.state["seen"]) == ([4], 5)
    third = stream.select(pool.view([1, 3, 5], second.state), 3, rng())
    assert (third.ids.tolist(), third.state["seen"]) == ([5], 6)


def test_items_passed_over_never_come_back_and_a_stream_that_has_ended_asks_nothing():
    pool = Pool([0.1, 0.9, 0.1, 0.1])
    stream = Stream(Given(), GENEROUS)
    batch = stream.select(pool.view(range(4)), 4, rng())
    assert batch.ids.tolist() == [1]
    pool.scores[:] = 0.9
    after = stream.select(pool.view([0, 2, 3], batch.state), 3, rng(1))
    assert (after.asked, after.ids.tolist(), after.scores.tolist(), after.state["seen"]) == (0, [], [], 4)


def test_items_that_arrive_later_are_met_later():
    pool = Pool([0.1, 0.9, 0.1, 0.9, 0.9])
    stream = Stream(Given(), GENEROUS)
    state = stream.select(pool.view(range(3)), 3, rng()).state
    batch = stream.select(pool.view([0, 2, 3, 4], state), 4, rng())
    assert sorted(batch.ids.tolist()) == [3, 4]
    assert (batch.state["seen"], met(batch.state)) == (5, [0, 1, 2, 3, 4])


def test_shuffled_streams_meet_every_item_alike_and_arrival_keeps_the_order():
    scores = np.random.default_rng(0).random(40)
    firsts = np.zeros(40)
    for seed in range(400):
        firsts[Stream(Given(), GENEROUS).select(Pool([0.9] * 40).view(range(40)), 4, rng(seed)).ids] += 1
    assert firsts.min() > 15
    assert firsts.sum() == 1600
    asked = Stream(Given(), GENEROUS, "arrival").select(Pool(scores).view(range(40)), 40, rng()).ids.tolist()
    assert asked == np.flatnonzero(scores > 0.4).tolist()


@pytest.mark.parametrize(
    "manager", [Fixed(), Variable(), Variable(spent="counted"), Randomised(), Split(), Quantile()], ids=repr
)
def test_rounds_do_not_change_decisions(manager):
    """In the order of arrival, with one random number per item, ten rounds decide as one walk without rounds does."""
    scores = torch.as_tensor(np.random.default_rng(1).random(600), dtype=torch.float32)
    stream, ids, state, asked, chance = Stream(Given(), manager, "arrival"), torch.arange(600), None, [], rng()
    whole, last = manager.walk(manager.start(2), scores.tolist(), rng())
    while True:
        batch = stream.select(Pool(scores).view(ids, state), 9, chance)
        asked += batch.ids.tolist()
        state = batch.state
        ids = ids[~torch.isin(ids, batch.ids)]
        chance = rng()
        if manager.draws:
            torch.rand(state["seen"] * manager.draws, generator=chance, dtype=torch.float64)
        if batch.asked < 9:
            break
    assert asked == np.flatnonzero(whole).tolist()
    assert state["manager"] == last


def test_only_as_many_items_are_scored_as_are_met_in_pieces(monkeypatch):
    pool = Pool([0.9] + [0.1] * 3 * AHEAD)
    batch = Stream(Given(), GENEROUS, "arrival").select(pool.view(range(len(pool.scores))), 1, rng())
    assert (batch.state["seen"], len(pool.scored)) == (1, AHEAD)
    monkeypatch.setattr("askwell.strategies.stream.AHEAD", 7)
    pieces = Pool(np.random.default_rng(2).random(64))
    parted = Stream(Given(), Randomised(budget=0.5)).select(pieces.view(range(64)), 64, rng(3)).ids.tolist()
    assert Stream(Given(), GENEROUS).select(Pool([0.9] * 30).view(range(30)), 10, rng()).asked == 10
    monkeypatch.undo()
    whole = Stream(Given(), Randomised(budget=0.5)).select(pieces.view(range(64)), 64, rng(3)).ids.tolist()
    assert parted == whole


def test_the_threshold_is_set_anew_for_a_new_model_alone():
    pool, stream = Pool([0.3] * 30), Stream(Given(), Variable(recompute=True, window=10), "arrival")
    state = stream.select(pool.view(range(10)), 10, rng()).state
    manager = {**state["manager"], "threshold": 5.0}
    kept = stream.meet(pool.view(range(10, 11), {**state, "manager": manager}), rng()).state
    renewed = stream.meet(pool.view(range(10, 11), {**state, "manager": manager}, history=[None]), rng()).state
    assert kept["manager"]["threshold"] > 4
    assert renewed["manager"]["threshold"] == pytest.approx(0.7, abs=0.02)
    assert (kept["fits"], renewed["fits"]) == (0, 1)


def test_meeting_arrivals_asks_by_position_and_keeps_none_of_them():
    pool, stream = Pool([0.9, 0.1, 0.9]), Stream(Given(), GENEROUS)
    batch = stream.meet(pool.view(range(3)), rng())
    assert batch.ids.tolist() == [0, 2]
    assert (batch.state["seen"], len(batch.state["passed"])) == (3, 0)
    nothing = stream.meet(pool.view([1], batch.state), rng())
    assert (nothing.asked, nothing.state["seen"]) == (0, 4)


def test_state_takes_a_bit_per_position():
    stream = Stream(Given(), Quantile())
    state = stream.select(Pool([0.5] * 8000).view(range(8000)), 8000, rng()).state
    assert state["passed"].nbytes == 1000


def test_a_committee_asks_in_its_region_of_disagreement():
    mc = torch.tensor([[[0.9, 0.1], [0.8, 0.2]], [[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.9], [0.4, 0.6]]])
    stream = Stream(Committee(draws=2), Region(budget=1.0), "arrival")
    need = stream.needs[0]
    view = View(torch.arange(3), stream.needs, lambda _, sets: {need: mc[sets["candidates"]]})
    assert stream.select(view, 3, rng()).ids.tolist() == [1]


def test_managers_that_read_a_confidence_refuse_other_scores():
    for manager in (Fixed(), Variable(), Randomised(), Split()):
        with pytest.raises(
            UnmetNeeds,
            match=f"^manager '{manager.name}' compares a confidence, 1 − score, with a threshold, and scores of "
            "'entropy' are none: use manager=quantile, which takes any score, or a strategy such as margin, "
            "least_confidence, ratio or variation_ratios$",
        ):
            Stream(Entropy(), manager)
        assert Stream(LeastConfidence(), manager).manager == manager
    for manager in (Quantile(), Region()):
        assert Stream(Entropy(), manager).manager == manager


def test_strategies_that_score_no_single_item_are_refused():
    for strategy in (BADGE(), BatchBALD(), Random()):
        with pytest.raises(InputError, match=r"^stream needs a strategy that scores every item by itself, got "):
            Stream(strategy)
    with pytest.raises(UnknownName, match=r"^unknown order of a stream 'arival': did you mean 'arrival'\?"):
        Stream(Margin(), order="arival")


def test_what_the_inner_strategy_declares_holds():
    assert Stream(Margin()).cold_start
    assert not Stream(CAL()).cold_start
    with pytest.raises(UnmetNeeds, match=r"^stream meets every item once, and 'crowd_intents' may ask"):
        Stream(CrowdIntents())


def test_only_a_partial_strategy_may_pick_fewer():
    class Lazy(Given):
        def choose(self, view, n, rng):
            return view.pick(torch.arange(n - 1))

    with pytest.raises(BadShape, match="chose 1 items instead of 2"):
        Lazy().select(Pool([0.5] * 3).view(range(3)), 2, rng())
    with pytest.raises(PoolExhausted):
        Stream(Given()).select(Pool([0.5]).view([0]), 2, rng())


def test_text_on_the_command_line():
    text = "stream(strategy=margin, manager=variable(budget=0.2, spent=counted), order=arrival)"
    assert parse("strategies", text) == Stream(Margin(), Variable(budget=0.2, spent="counted"), "arrival")
    online = parse("strategies", "stream(strategy=max_entropy(draws=50), manager=quantile(budget=0.1))")
    assert online == Stream(MaxEntropy(draws=50), Quantile(budget=0.1))
    with pytest.raises(UnknownName, match=r"^unknown value of manager in 'stream': 'quantil': did you mean 'quantile'"):
        parse("strategies", "stream(strategy=margin, manager=quantil)")
    assert find("managers", "split") is Split


def test_a_manager_of_ones_own():
    text = f"stream(strategy=margin, manager={__name__}:EveryThird(first=1), order=arrival)"
    stream = parse("strategies", text)
    assert stream == Stream(Margin(), EveryThird(1), "arrival")
    assert build("strategies", config(stream)) == stream
    batch = Stream(Given(), EveryThird(1), "arrival").select(Pool([0.0] * 9).view(range(9)), 9, rng())
    assert batch.ids.tolist() == [1, 4, 7]
    with pytest.raises(InputError, match=r"^manager of 'stream' must be Manager, got Margin\(\)$"):
        parse("strategies", "stream(strategy=margin, manager=margin)")
    with pytest.raises(InputError, match=r"^'askwell.strategies:Margin' is no part of managers"):
        parse("managers", "askwell.strategies:Margin")


def test_degenerate_streams():
    for scores in ([0.5] * 20, [0.0] * 20, [1.0] * 20):
        for manager in (Fixed(), Variable(), Randomised(), Split(), Quantile(), Region()):
            batch = Stream(Given(), manager).select(Pool(scores).view(range(20)), 20, rng())
            assert batch.asked <= 20
            assert batch.state["seen"] == 20
