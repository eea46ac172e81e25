"""What a notebook shows: bars in one output of the cell, and HTML that needs nothing from outside."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import askwell as aw
from askwell.engine.progress import Bars, in_notebook
from askwell.engine.report import Report
from askwell.engine.result import Result
from askwell.metrics.curves import Comparison

pytest.importorskip("IPython")

VOID = {"img", "br", "hr"}


class Page(HTMLParser):
    """Reads HTML, and fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(html: str) -> Page:
    """The page, once it is known to bring no script, no colours and no address."""
    page = Page(html)
    assert not page.of("script")
    assert not page.of("style")
    for _, attrs in page.tags:
        assert not any(name.startswith("on") for name in attrs)
        assert attrs.get("style") in (None, "text-align: left")
        assert (attrs.get("src") or "data:").startswith("data:")
        assert "href" not in attrs
    return page


def report(labels: int, value: float, **more: Any) -> Report:
    return Report(labels // 10, labels, float(labels), {"accuracy": value}, "accuracy", 0, "", "", **more)


def result(*arms: str, seeds: int = 2, stopped: dict[str, str] | None = None) -> Result:
    found = {
        arm: [[report(10, 0.5 + place / 10), report(20, 0.7 + (place + seed) / 10)] for seed in range(seeds)]
        for place, arm in enumerate(arms)
    }
    return Result(Path("runs/<here>"), Path("runs/<here>/curve.png"), found, stopped or {})


def test_a_result_shows_curve_arms_verdict_and_folder() -> None:
    shown = result("margin", "random", stopped={"margin": "20 labels"})
    page = read(shown._repr_html_())
    assert "margin against random" in page.texts
    assert shown.verdict in page.texts
    assert "margin ended early: 20 labels" in page.texts
    assert "runs/<here>" in page.texts
    row = page.texts.index("margin")
    assert page.texts[row : row + 3] == ["margin", "2", "20"]
    assert page.texts[row + 3].startswith("0.7500 ± ")
    assert page.texts[row + 4].startswith("0.6250 ± ")


def test_the_picture_is_inline_and_has_words() -> None:
    (picture,) = read(result("margin", seeds=1)._repr_html_()).of("img")
    assert picture["alt"] == "accuracy by labelled items: margin 0.5000 at 10 to 0.7000 at 20"
    kind, _, body = str(picture["src"]).partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(body).startswith(b"\x89PNG")
    assert len(body) < 100_000


def test_a_long_name_leaves_room_for_the_curve() -> None:
    name = "Subsample(strategy=ClassBalance(strategy=Stochastic(strategy=Margin(), coldness=1.0)), size=5000)"
    assert read(result(name)._repr_html_()).of("img")


def test_names_are_text_and_never_tags() -> None:
    name = '<script>alert("1")</script>'
    assert name in read(result(name, "random")._repr_html_()).texts


def test_a_comparison_shows_its_verdict_and_every_seed() -> None:
    page = read(Comparison((0.1, 0.3), 0.2, 0.05)._repr_html_())
    assert page.texts == [
        "better: area +0.2000 ± 0.0500 (95 % interval, 2 paired seeds)",
        "difference by seed",
        "+0.1000",
        "+0.3000",
    ]


def test_a_project_shows_where_it_stands(tmp_path: Path) -> None:
    project = aw.Project.create(tmp_path / "p&q", "digits", strategy="margin", initial=10)
    empty = read(project._repr_html_())
    assert not empty.of("img")
    assert empty.texts[0] == "project digits"
    assert empty.texts[empty.texts.index("metrics") + 1] == "none"
    for question in project.ask(10):
        project.tell(question.id, question.position % 10)
    project.train()
    page = read(project._repr_html_())
    assert len(page.of("img")) == 1
    texts = dict(zip(page.texts[1::2], page.texts[2::2], strict=True))
    assert texts["labels"] == "10"
    assert texts["path"] == str(tmp_path / "p&q")
    assert texts["classes"] == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert "answered 10" in texts["items"]
    assert texts["metrics"].startswith("accuracy 0.")
    project.close()
    assert read(project._repr_html_()).texts == page.texts


def test_a_project_without_a_test_part_shows_no_curve(tmp_path: Path) -> None:
    with aw.Project.create(tmp_path / "p", "digits", loading={"test_size": 0}, initial=10) as project:
        for question in project.ask(10):
            project.tell(question.id, question.position % 10)
        project.train()
        assert not read(project._repr_html_()).of("img")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A shell of IPython that says it serves a notebook, and keeps what it publishes."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class ZMQInteractiveShell(InteractiveShell):
        """The name by which the shell of a kernel is known."""

    before = {name: getattr(sys, name) for name in ("displayhook", "excepthook")}
    made = ZMQInteractiveShell.instance(
        config=Config({"HistoryManager": {"enabled": False}}), display_pub_class=CapturingDisplayPublisher
    )
    yield made
    ZMQInteractiveShell.clear_instance()
    for name, value in before.items():
        setattr(sys, name, value)


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def work(bars: Bars, clock: Clock, steps: int = 20) -> None:
    for step in range(1, steps + 1):
        clock.now += 1.0
        bars("train <a>", step, steps)


def test_bars_are_one_output_that_is_rewritten(shell: Any, capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        work(bars, clock)
        clock.now += 60
        work(bars, clock)
    outputs = shell.display_pub.outputs
    assert [bool(one["update"]) for one in outputs] == [False] + [True] * (len(outputs) - 1)
    assert len({one["transient"]["display_id"] for one in outputs}) == 1
    page = read(outputs[0]["data"]["text/html"])
    (bar,) = page.of("progress")
    assert (bar["value"], bar["max"]) == ("3", "20")
    assert "train <a> " in page.texts
    assert " 3 of 20, 17 s left" in page.texts
    assert outputs[-1]["data"]["text/html"] == "<div></div>"
    assert capfd.readouterr() == ("", "")


def test_several_pieces_of_work_share_the_output(shell: Any) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        for done in range(1, 5):
            clock.now += 2.0
            bars("run", done, 9)
            bars("train", done, 9)
    widest = max((one["data"]["text/html"] for one in shell.display_pub.outputs), key=len)
    assert len(read(widest).of("progress")) == 2


def test_short_and_quiet_work_shows_nothing_in_a_notebook(shell: Any) -> None:
    clock = Clock()
    with Bars(quiet=True, clock=clock) as bars:
        work(bars, clock)
    with Bars(clock=clock) as bars:
        bars("train", 1, 2)
        bars("train", 2, 2)
    assert shell.display_pub.outputs == []


def test_a_notebook_renders_a_result(shell: Any) -> None:
    shown, _ = shell.display_formatter.format(result("margin", "random"))
    assert "<img" in shown["text/html"]
    assert re.match(r"Result\(", shown["text/plain"])


def test_a_terminal_of_ipython_is_no_notebook() -> None:
    script = (
        "from IPython.terminal.interactiveshell import TerminalInteractiveShell as Shell\n"
        "from askwell.engine.progress import in_notebook\n"
        "assert not in_notebook()\n"
        "Shell.instance()\n"
        "assert not in_notebook()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_plain_python_never_loads_ipython() -> None:
    script = (
        "import sys\n"
        "from askwell.engine.progress import Bars\n"
        "with Bars(delay=0.0) as bars:\n"
        "    bars('train', 0, 9)\n"
        "assert 'IPython' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr == "train: 0 of 9, unknown time left\n"
    assert not in_notebook()
