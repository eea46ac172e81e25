"""askwell.toml: settings of a folder, below the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askwell.cli.config import defaults
from askwell.cli.main import app
from askwell.errors import AskwellError, BadData, InputError, UnknownName

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own with ten candidates."""
    monkeypatch.chdir(tmp_path)
    np.save("p.npy", np.array([[0.9, 0.1], [0.5, 0.5], [0.7, 0.3], [0.6, 0.4]]))


def settings(text: str) -> dict[str, Any]:
    Path("askwell.toml").write_text(text)
    return defaults(Path("askwell.toml"), app)


def test_a_command_takes_its_options_from_the_file(askwell: Run) -> None:
    Path("askwell.toml").write_text('[select]\nprobs = "p.npy"\nstrategy = "margin"\nn = 2\n')
    assert askwell("select").out == "1\n3\n"
    assert askwell("select", "-n", "1").out == "1\n"
    Path("askwell.toml").rename("mine.toml")
    assert askwell("select").err == "error: Missing option '--strategy'.\n"
    assert askwell("--config", "mine.toml", "select").out == "1\n3\n"


def test_a_switch_that_the_file_turns_on_can_be_turned_off(askwell: Run) -> None:
    Path("askwell.toml").write_text("json = true\nquiet = true\n")
    assert json.loads(askwell("list", "tasks").out).keys() == {"tasks"}
    assert askwell("list", "tasks", "--no-json").out == "classification\nmulti_label\nregression\n"
    assert askwell("list", "tasks", "--no-json", "--no-quiet").out.startswith("tasks\n  classification  Each item")


def test_sizes_are_counts_or_shares() -> None:
    found = settings("pool-size = 0.5\n[run]\ntest-size = 30\n")
    assert found["run"] == {"pool_size": 0.5, "test_size": 30}


def test_the_top_of_the_file_is_for_every_command_that_has_the_option(askwell: Run) -> None:
    found = settings(
        'json = true\ndevice = "cuda"\n[run]\ndevice = "cpu"\npool-size = 10_000\n[edit.add]\ntext = "t"\n'
    )
    assert found["run"] == {"json": True, "device": "cpu", "pool_size": 10_000}
    assert found["create"] == {"json": True, "device": "cuda"}
    assert found["edit"]["add"] == {"json": True, "text": "t"}
    assert found["edit"]["remove"] == {"json": True}
    assert json.loads(askwell("list", "tasks").out).keys() == {"tasks"}


def test_values_are_those_of_the_command_line() -> None:
    found = settings('[create]\nlabel = ["a", "b"]\nclasses = "no,yes"\n')
    assert found["create"] == {"label": ["a", "b"], "classes": ["no,yes"]}
    assert settings('[run]\nout = "there"\nfresh = true\ncorrupt = "skip"\n')["run"] == {
        "out": "there", "fresh": True, "corrupt": "skip",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("[rnu]\nbatch = 1\n", UnknownName, "unknown table of askwell.toml: 'rnu': did you mean 'run'? Known: "),
        ("[rnu]\n", UnknownName, "unknown table of askwell.toml: 'rnu': did you mean 'run'? Known: "),
        ("[edit.ad]\n", UnknownName, "unknown table of askwell.toml: 'edit.ad': did you mean 'edit.add'? Known: "),
        (
            "[run]\nstrateg = 'x'\n",
            UnknownName,
            "unknown option at [run] of askwell.toml: 'strateg': did you mean 'strategy'? Known: ",
        ),
        ("[run]\ndata = 'x'\n", UnknownName, "unknown option at [run] of askwell.toml: 'data': "),
        ("outt = 'x'\n", UnknownName, "unknown option at the top of askwell.toml: 'outt': "),
        (
            "seed = 3\n",
            InputError,
            "seed at the top of askwell.toml belongs below the name of a command: [run], [select], [create]",
        ),
        ("[run]\ntest-size = 'x'\n", InputError, "test-size at [run] of askwell.toml must be a number, got 'x'"),
        ("[run]\nbatch = 'ten'\n", InputError, "batch at [run] of askwell.toml must be a whole number, got 'ten'"),
        ("[run]\nbatch = 2.5\n", InputError, "batch at [run] of askwell.toml must be a whole number, got 2.5"),
        ("[run]\nbatch = true\n", InputError, "batch at [run] of askwell.toml must be a whole number, got True"),
        ("[run]\nstrategy = 5\n", InputError, "strategy at [run] of askwell.toml must be a text, got 5"),
        ("[run]\nout = 5\n", InputError, "out at [run] of askwell.toml must be a path, got 5"),
        ("[run]\nfresh = 1\n", InputError, "fresh at [run] of askwell.toml must be true or false, got 1"),
        (
            "[run]\nlabel = [1]\n",
            InputError,
            "label at [run] of askwell.toml must be a text or a list of texts, got [1]",
        ),
        (
            "[run]\ncorrupt = 'no'\n",
            InputError,
            "corrupt at [run] of askwell.toml must be one of refuse, skip, got 'no'",
        ),
        ("[run\n", BadData, "askwell.toml cannot be read: "),
    ],
)
def test_what_the_file_may_not_say_is_one_sentence(text: str, kind: type[AskwellError], message: str) -> None:
    with pytest.raises(kind) as caught:
        settings(text)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_there_is_named(askwell: Run) -> None:
    done = askwell("--config", "no.toml", "list")
    assert (done.code, done.out, done.err) == (2, "", "error: there is no file no.toml\n")


def test_doctor_shows_which_file_is_in_use(askwell: Run) -> None:
    assert json.loads(askwell("doctor", "--json").out)["config"] == "no askwell.toml here"
    Path("askwell.toml").write_text('device = "cpu"\n')
    assert json.loads(askwell("doctor", "--json").out)["config"] == "askwell.toml"
