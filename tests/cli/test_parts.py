"""What `list` and `show` say about parts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from askwell.cli.parts import KINDS, Setting, described, named, parts
from askwell.core.needs import MC_PROBS, PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View

Run = Callable[..., Any]


@dataclass(frozen=True)
class Doubt(ScoreStrategy):
    """Asks where the model doubts.

    Scores are (N,), in [-1, 0].

    Nobody 2020, arXiv:2001.00001.

    >>> Doubt().power
    2.0
    """

    cost = "O(N)"
    power: float = 2.0
    names: tuple[str, ...] = field(default_factory=tuple)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, MC_PROBS(draws=5))

    def score(self, view: View) -> Any:
        return view[PROBS][:, 0]


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    """`doubts:Doubt` is somebody's own strategy."""
    found = ModuleType("doubts")
    found.Doubt = Doubt  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "doubts", found)


def test_a_part_is_described_by_its_docstring_needs_and_fields() -> None:
    part = described("strategies", "doubt", Doubt)
    assert (part.kind, part.name, part.summary) == ("strategy", "doubt", "Asks where the model doubts.")
    assert (part.text, part.paper) == ("Scores are (N,), in [-1, 0].", "Nobody 2020, arXiv:2001.00001.")
    assert (part.needs, part.cost) == ("probs, mc_probs(draws=5)", "O(N)")
    assert part.settings == (Setting("power", "float", "2.0"), Setting("names", "tuple[str, ...]", "()"))


def test_show_prints_a_part_of_somebody_else(askwell: Run) -> None:
    assert askwell("show", "doubts:Doubt").out == (
        "doubts:Doubt (part)\n"
        "Asks where the model doubts.\n"
        "\n"
        "Scores are (N,), in [-1, 0].\n"
        "\n"
        "needs  probs, mc_probs(draws=5)\n"
        "cost   O(N)\n"
        "paper  Nobody 2020, arXiv:2001.00001.\n"
        "\n"
        "settings\n"
        "  power  2.0  (float)\n"
        "  names  ()  (tuple[str, ...])\n"
        "\n"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_can_be_described(kind: str) -> None:
    found = parts(kind)
    assert found
    assert all(part.summary for part in found)


def test_every_strategy_tells_its_needs_and_cost() -> None:
    silent = [part.name for part in parts("strategies") if not (part.needs and part.cost)]
    assert silent == []


def test_every_recipe_tells_its_paper(askwell: Run) -> None:
    assert [part.name for part in parts("recipes") if not part.paper] == []
    text = askwell("show", "badge").out
    assert "badge (strategy)" in text
    assert "badge (recipe)" in text
    assert "arXiv:1906.03671" in text
    assert "deviations\n  - " in text


def test_list_names_every_part(askwell: Run) -> None:
    text = askwell("list").out
    assert all(f"  {part.name} " in text for kind in KINDS for part in parts(kind))
    assert askwell("list", "models").out.startswith("models\n")


def test_list_and_show_speak_json(askwell: Run) -> None:
    found = json.loads(askwell("list", "models", "--json").out)["models"]
    assert [part["name"] for part in found] == [part.name for part in parts("models")]
    assert askwell("list", "models", "--quiet").out.splitlines() == [part["name"] for part in found]
    shown = json.loads(askwell("show", "margin", "--json").out)["parts"]
    assert [part["kind"] for part in shown] == ["strategy", "recipe"]
    assert shown[0]["needs"] == "probs"


def test_a_name_of_two_kinds_shows_both() -> None:
    assert [part.kind for part in named("margin")] == ["strategy", "recipe"]


def test_unknown_names_offer_the_nearest(askwell: Run) -> None:
    done = askwell("show", "badg")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: unknown part 'badg': did you mean 'badge'? Known: ")
    done = askwell("list", "strategy")
    assert done.err.startswith("error: unknown kind 'strategy': did you mean 'strategies'? Known: ")


def test_strategies_are_a_table_by_roles(askwell: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = askwell("list", "strategies").out.splitlines()
    assert lines[0] == "strategies"
    assert lines[1].split() == ["name", "survey", "needs", "cost"]
    titles = [line.strip() for line in lines if line.strip() in {"SCORES", "SETS", "PREFILTERS", "SELECTORS"}]
    assert titles == ["SCORES", "SETS", "PREFILTERS", "SELECTORS"]
    badge = next(line for line in lines if line.startswith("  badge "))
    assert badge.split() == ["badge", "[10]", "probs,", "embedding", "O(Q·N·(C", "+", "D))"]
    assert max(map(len, lines)) <= 120
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, askwell("list", "strategies").out.splitlines())) <= 100


def test_numbers_of_the_survey_come_from_the_recipes(askwell: Run) -> None:
    found = {part["name"]: part for part in json.loads(askwell("list", "strategies", "--json").out)["strategies"]}
    assert found["badge"]["survey"] == "[10]"
    assert found["diverse_minibatch"]["survey"] == "[186]"
    assert found["bald"]["survey"] == "[67]"
    assert found["bait"]["survey"] == found["subsample"]["survey"] == ""
    roles = {name: found[name]["role"] for name in ("margin", "badge", "subsample", "power")}
    assert roles == {"margin": "score", "badge": "set", "subsample": "prefilter", "power": "selector"}


def test_a_recipe_shows_its_parts_and_how_it_departs(askwell: Run) -> None:
    text = askwell("show", "power_bald").out
    assert "\nparts\n  strategy      BALD(draws=20) | Stochastic(kind='power', beta=1.0)\n" in text
    assert "cost   O(N·K·C) for bald, O(N) for stochastic to select\n" in text
    assert "deviations\n  -  " in text
    assert "survey  [10]\n" in askwell("show", "badge").out


def test_show_prints_a_composition(askwell: Run) -> None:
    assert askwell("show", "subsample(size=90) | margin | power").out == (
        "Subsample(size=90) | Margin() | Power(beta=1.0) (composition)\n"
        "\n"
        "subsample: Lets a strategy see a uniform sample of the candidates: cheaper, and more diverse.\n"
        "margin: Asks where the two most likely classes are closest: score 1 − (p₍₁₎ − p₍₂₎).\n"
        "power: Draws a batch without replacement, with chances in proportion to score^β: a zero is drawn last.\n"
        "\n"
        "needs  probs\n"
        "cost   O(N) for subsample, O(N·C) for margin, O(N) for power\n"
        "\n"
    )
    done = askwell("show", "margin | entropy")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: Margin() | Entropy(): stage 2, Entropy(), is a second strategy after Margin()")
