"""How far a choice is: heard by who listens, free where nobody does."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from askwell.core.spec import parse
from askwell.functional.steps import counting, listening, steps
from askwell.testing import Scenes

Heard = list[tuple[str, int, int]]
GREEDY = [
    "badge", "coreset", "lcmd", "batch_bald", "bait(width=3, classes=2)", "acs_fw", "falcun", "galaxy", "typiclust",
    "margin | k_center", "margin | marginal_relevance", "greedy_sampling(over=inputs)", "ff_active",
    "facility_location", "probcover", "maxherding", "uherding",
]  # fmt: skip


def test_without_a_listener_a_loop_is_a_range() -> None:
    assert steps(7) == range(7)
    assert counting(7) is counting(9)
    with listening(None):
        assert steps(7) == range(7)


def test_a_listener_hears_every_step_and_the_end() -> None:
    heard: Heard = []
    with listening(lambda *said: heard.append(said)):
        assert list(steps(3, "walking")) == [0, 1, 2]
    assert heard == [("walking", 0, 3), ("walking", 1, 3), ("walking", 2, 3), ("walking", 3, 3)]
    assert steps(3) == range(3)


def test_a_loop_that_is_left_has_ended() -> None:
    heard: Heard = []
    with listening(lambda *said: heard.append(said)):
        for step in steps(9):
            if step == 1:
                break
    assert heard == [("choosing", 0, 9), ("choosing", 1, 9), ("choosing", 9, 9)]


def test_a_listener_may_be_put_aside_for_a_while() -> None:
    heard: Heard = []
    with listening(lambda *said: heard.append(said)):
        with listening(None):
            list(steps(2))
        counting(4)(4)
    assert heard == [("choosing", 4, 4)]


@pytest.mark.filterwarnings("ignore::askwell.functional.joint.Saturated")
@pytest.mark.parametrize("text", GREEDY)
def test_greedy_choices_tell_their_steps_and_choose_the_same(text: str) -> None:
    strategy = parse("strategies", text)
    scene = Scenes()("plain")
    wanted = strategy.select(scene.view(strategy.needs), 8, Generator().manual_seed(1)).ids
    heard: Heard = []
    with listening(lambda *said: heard.append(said)):
        chosen = strategy.select(scene.view(strategy.needs), 8, Generator().manual_seed(1)).ids
    assert torch.equal(chosen, wanted)
    done = [step for what, step, _ in heard if what == "choosing"]
    assert len(done) >= 5
    assert done == sorted(done)
    assert heard[-1][1] == heard[-1][2]


def test_scoring_in_chunks_tells_the_rows() -> None:
    strategy = parse("strategies", "margin")
    object.__setattr__(strategy, "chunk", 10)
    heard: Heard = []
    with listening(lambda *said: heard.append(said)):
        strategy.select(Scenes()("plain").view(strategy.needs), 3, Generator())
    assert heard == [("scoring", 10, 26), ("scoring", 20, 26), ("scoring", 26, 26)]
