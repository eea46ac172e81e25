"""How long a choice will take: costs as arithmetic, and said once where it is long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

import askwell as aw
from askwell.core.cost import LETTERS, effort, operations
from askwell.core.needs import PROBS, Need
from askwell.core.spec import parse
from askwell.core.view import View
from askwell.engine import estimate as estimates
from askwell.engine.choosing import choose
from askwell.engine.estimate import announce, spoken
from askwell.errors import InputError
from askwell.functional.steps import listening
from askwell.strategies import Margin
from askwell.testing import Scenes


@pytest.mark.parametrize(
    ("cost", "wanted"),
    [
        ("O(N)", 1000),
        ("O(N·C)", 3000),
        ("O(N²·D)", 4_000_000),
        ("O((M + Q)·N·D)", 28_000),
        ("O(N log N)", 1000 * 9.965784284662087),
        ("O(C·N log N), then O(C·(M + Q)) per pick", 3000 * 9.965784284662087 + 3 * 7 * 5),
        ("O(N·D) per iteration of k-means", 40_000),
        ("O(N·w), w = min(D, width)", 3000),
        ("O(min(N, 10·Q)·D) once, and words", 200),
        ("O(N/C)", 1000 / 3),
    ],
)
def test_costs_are_arithmetic(cost: str, wanted: float) -> None:
    sizes = {"N": 1000, "C": 3, "M": 2, "Q": 5, "D": 4, "width": 3}
    assert operations(cost, sizes) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("cheap", "cost 'cheap' names no O(…): write O(N·C)"),
        ("O(N·C", "cost 'O(N·C' has a bracket that is not closed"),
        ("O(N C)", "cost 'O(N C)' cannot be read at '(N C)': write O(N·C)"),
        ("O(N) per cap", "cost 'O(N) per cap' is per cap: it may be per pick or per iteration"),
        ("O(N·items)", "cost 'O(N·items)' names items, which is no letter and no setting"),
    ],
)
def test_costs_that_cannot_be_read(cost: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        operations(cost, {"N": 3})
    assert str(caught.value) == said


def test_a_prefilter_narrows_the_cost_of_what_follows() -> None:
    sizes = dict.fromkeys(LETTERS, 1.0) | {"N": 1e6, "Q": 100.0, "D": 10.0}
    alone = effort(parse("strategies", "coreset"), sizes)
    assert alone == 101 * 1e7
    assert effort(parse("strategies", "subsample(size=1000) | coreset"), sizes) == 1e6 + 101 * 1e4
    share = effort(parse("strategies", "top_share(beta=2, by=margin) | coreset"), sizes)
    assert share == 1e6 + 1e6 + 101 * 200 * 10
    assert effort(parse("strategies", "subsample(size=5) | margin"), sizes) == 1e6 + 100


# ---------------------------------------------------------------------- saying it


class Clock:
    """Time that passes by `pace` seconds per candidate that is looked at."""

    def __init__(self, pace: float, start: float = 0.0) -> None:
        self.pace, self.start, self.now = pace, start, 0.0

    def __call__(self) -> float:
        return self.now

    def view(self, size: int, seen: list[int] | None = None) -> View:
        def fetch(needs: tuple[Need, ...], sets: Mapping[Any, Tensor]) -> dict[Need, Tensor]:
            count = len(sets["candidates"])
            self.now += self.start + self.pace * count
            if seen is not None:
                seen.append(count)
            return {PROBS: torch.rand(count, 3, generator=Generator().manual_seed(0)).softmax(1)}

        return View(torch.arange(size), (PROBS,), fetch)


def said(clock: Clock, size: int, n: int = 5, seen: list[int] | None = None) -> list[str]:
    heard: list[str] = []
    announce(Margin(), clock.view(size, seen), n, heard.append, clock)
    return heard


def test_a_long_choice_is_said_in_a_sentence() -> None:
    assert said(Clock(240e-6), 1_000_000) == ["margin over 1,000,000 items: about 4 minutes"]
    assert said(Clock(0.5), 1000) == ["margin over 1,000 items: about 8 minutes"]


def test_what_takes_long_to_start_is_no_long_choice() -> None:
    assert said(Clock(1e-6, start=20.0), 1_000_000) == []
    assert said(Clock(1.3e-3, start=50.0), 100_000) == ["margin over 100,000 items: about 3 minutes"]


def test_a_quick_choice_is_tried_on_32_candidates_alone() -> None:
    seen: list[int] = []
    assert said(Clock(1e-6), 100_000, seen=seen) == []
    assert seen == [2, 32]
    seen.clear()
    said(Clock(1e-2), 100_000, seen=seen)
    assert seen == [2, 32, 1000, 4000]
    seen.clear()
    said(Clock(1e-2), 1_000_000, seen=seen)
    assert seen == [2, 32, 2500, 10_000]


def test_what_each_pick_takes_grows_with_the_picks() -> None:
    """A step that takes long whatever the pool: 100 picks in a trial of 1024, 1000 in the whole."""
    few, some = (
        estimates.Trial(100 * (1 + 0.001 * 256), 256 * 100),
        estimates.Trial(100 * (1 + 0.001 * 1024), 1024 * 100),
    )
    whole = estimates._extrapolated(few, some, 1e4 * 1000, 10.0)
    assert whole == pytest.approx(1000 * (1 + 0.001 * 1e4))
    assert estimates._extrapolated(few, some, 1e4 * 1000, 1.0) == pytest.approx(1000 * 10 + 100)
    assert estimates._extrapolated(some, few, 1e6, 1.0) == pytest.approx(few.seconds)


def test_few_candidates_are_not_tried() -> None:
    seen: list[int] = []
    assert said(Clock(1e3), 256, seen=seen) == []
    assert seen == []


def test_times_as_people_say_them() -> None:
    assert [spoken(seconds) for seconds in (60, 89, 91, 3600, 5939, 36000)] == [
        "1 minute", "1 minute", "2 minutes", "60 minutes", "99 minutes", "10.0 hours",
    ]  # fmt: skip


class Refusing(Margin):
    """Refuses."""

    def score(self, view: View) -> Tensor:
        raise InputError("no")


def test_a_strategy_that_refuses_refuses_when_it_chooses() -> None:
    heard: list[str] = []
    view = Clock(1e3).view(1000)
    announce(Refusing(), view, 5, heard.append)
    assert heard == []
    with pytest.raises(InputError, match=r"^no$"):
        choose(Refusing(), view, 5, Generator())


@pytest.mark.parametrize("text", ["badge", "subsample(size=300) | margin | power", "typiclust", "batch_bald(draws=20)"])
def test_saying_it_changes_no_choice(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = parse("strategies", text)
    scene = Scenes()("plain", n=400)
    wanted = strategy.select(scene.view(strategy.needs), 6, Generator().manual_seed(3))
    monkeypatch.setattr(estimates, "LONG", 0.0)
    heard: list[str] = []
    monkeypatch.setattr(logging.getLogger("askwell"), "warning", heard.append)
    chosen = choose(strategy, scene.view(strategy.needs), 6, Generator().manual_seed(3))
    assert chosen.ids.tolist() == wanted.ids.tolist()
    assert len(heard) == 1


def test_progress_hears_of_the_choice_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "LONG", 0.0)
    monkeypatch.setattr(logging.getLogger("askwell"), "warning", lambda said: None)
    strategy, heard, around = parse("strategies", "badge"), [], []
    view = Scenes()("plain", n=400).view(strategy.needs)
    with listening(lambda *said: around.append(said)):
        choose(strategy, view, 6, Generator(), lambda *said: heard.append(said))
    assert heard == [("choosing", step, 5) for step in range(6)]
    assert around == []


def test_a_run_says_it_once_and_quietly_not_at_all(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.setattr(estimates, "LONG", 0.0)
    settings = {"initial": 12, "batch": 5, "rounds": 2, "learner": "linear", "against": None}
    aw.run("digits", strategy="margin", out=tmp_path / "a", **settings)
    lines = [line for line in capfd.readouterr().err.splitlines() if "items: about" in line]
    assert [line.partition(":")[0] for line in lines] == ["random over 1,438 items", "margin over 1,426 items"]
    aw.run("digits", strategy="margin", out=tmp_path / "b", quiet=True, **settings)
    assert capfd.readouterr().err == ""


def test_select_says_it(monkeypatch, capfd) -> None:
    monkeypatch.setattr(estimates, "LONG", 0.0)
    p = torch.rand(300, 3).softmax(1)
    aw.select("margin", probs=p, n=3)
    assert capfd.readouterr().err == "margin over 300 items: about 0 minutes\n"
    aw.select("margin", probs=p, n=3, quiet=True)
    assert capfd.readouterr().err == ""
