"""`askwell run`, `status` and `export`: one small run, and what can be asked about it afterwards."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from askwell.engine.project import Project

Run = Callable[..., Any]
SMALL = ("--initial", 20, "--batch", 10, "--rounds", 2, "--pool-size", 200, "--test-size", 100)
FAST = ("--scheme", "supervised(steps=30)")


def folder_of(out: str) -> Path:
    return Path(out.split("folder   ")[1].strip())


@pytest.fixture
def simulate(askwell: Run, tmp_path: Path) -> Run:
    """A run of three rounds on a tenth of the digits."""
    return lambda *args: askwell("run", "digits", *SMALL, *FAST, "--out", tmp_path / "runs", *args)


def test_a_run_ends_with_curve_time_verdict_picture_and_folder(simulate: Run) -> None:
    done = simulate("--strategy", "margin", "--seeds", 2)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "accuracy"
    assert "● margin   ○ random" in lines
    assert "mean of 2 seeds, 95 % interval" in lines
    facts = [line for line in done.out.partition("\n\ntime")[2].splitlines()[1:] if not line.startswith(" ")]
    assert [line.split()[0] for line in facts] == ["verdict", "picture", "folder"]
    assert all(f" {part} " in done.out.partition("verdict")[0] for part in ("train", "score", "select", "rest"))
    assert max(map(len, lines[:-2])) <= 80
    folder = folder_of(done.out)
    assert sorted(path.name for path in folder.glob("seed-*")) == ["seed-0", "seed-1"]
    with Image.open(folder / "curve.png") as picture:
        assert picture.format == "PNG"


def test_the_same_command_goes_on_and_fresh_starts_over(simulate: Run) -> None:
    first = simulate("--strategy", "margin", "--against", "none")
    store = folder_of(first.out) / "seed-0" / "labels.db"
    before = store.stat().st_ino
    again = simulate("--strategy", "margin", "--against", "none")
    assert again.out == first.out
    assert store.stat().st_ino == before
    fresh = simulate("--strategy", "margin", "--against", "none", "--fresh")
    assert fresh.code == 0
    curve = fresh.out.split("\ntime")[0]
    assert curve == first.out.split("\ntime")[0]


def test_a_stop_rule_ends_the_run_and_is_named(simulate: Run) -> None:
    done = simulate("--strategy", "random", "--against", "none", "--stop", "labels(30) | plateau()")
    assert "stopped  random at 30 labels\n" in done.out


def test_quiet_leaves_the_folder_and_json_is_one_document(simulate: Run) -> None:
    quiet = simulate("--against", "none", "--quiet")
    folder = Path(quiet.out.removesuffix("\n"))
    assert (folder / "result.json").is_file()
    done = simulate("--against", "none", "--json", "--quiet")
    found = json.loads(done.out)
    assert done.code == 0, done.err
    assert found["folder"] == str(folder)
    assert [labels for labels, _ in found["curves"]["margin"][0]] == [20, 30, 40]
    assert {**found, **json.loads((folder / "result.json").read_text())} == found


def test_a_crowd_answers_and_its_answers_become_labels(simulate: Run) -> None:
    crowd = ("--oracle", "crowd(confusion=(0.1, 0.5, 0.5), cost=(3.0, 1.0, 1.0))")
    done = simulate("--against", "none", *crowd, "--answers", 3, "--resolve", "one_coin", "--rounds", 1)
    assert done.code == 0, done.err
    seed = folder_of(done.out) / "seed-0"
    recipe = json.loads((seed / "project.json").read_text())["recipe"]
    assert (recipe["oracle"]["part"], recipe["answers"], recipe["resolve"]) == ("crowd", 3, "one_coin")
    with Project.open(seed) as project:
        assert Counter(vote.annotator for vote in project.store.votes()) == {f"annotator-{n}": 30 for n in (1, 2, 3)}
        assert project.reports[-1].cost == 30 * 5.0


def test_seeds_are_counted_from_the_first(simulate: Run) -> None:
    folder = folder_of(simulate("--against", "none", "--seed", 3, "--seeds", 2, "--rounds", 0).out)
    assert sorted(path.name for path in folder.glob("seed-*")) == ["seed-3", "seed-4"]


def test_progress_goes_to_standard_error_only(askwell: Run, tmp_path: Path) -> None:
    done = askwell("run", "digits", *SMALL, *FAST, "--against", "none", "--out", tmp_path)
    assert done.code == 0
    assert "\x1b" not in done.out + done.err


def test_status_and_export_tell_about_a_project(simulate: Run, askwell: Run, tmp_path: Path) -> None:
    project = folder_of(simulate("--against", "none").out) / "seed-0"
    lines = dict(re.split("  +", line, maxsplit=1) for line in askwell("status", project).out.splitlines())
    assert lines["labels"] == lines["labels of the model"] == "40"
    assert lines["rounds"] == "3"
    assert len(lines["model"]) == 12
    assert lines["items"] == "160 unasked, 40 answered, 1597 reserved"
    found = json.loads(askwell("status", project, "--json").out)
    assert found["labels"] == 40
    done = askwell("export", project, "-o", tmp_path / "labels.csv")
    assert done.out == f"{tmp_path / 'labels.csv'}\n"
    assert len((tmp_path / "labels.csv").read_text().splitlines()) > 40


@pytest.mark.parametrize(
    ("args", "code", "begin"),
    [
        (("run", "no_such_data"), 2, "error: "),
        (("run", "digits", "--strategy", "margn"), 2, "error: unknown strategy 'margn': did you mean 'margin'? "),
        (("run", "digits", "--oracle", "crwd()"), 2, "error: unknown oracle 'crwd': did you mean 'crowd'? "),
        (("run", "digits", "--resolve", "last_one"), 2, "error: unknown way to resolve 'last_one': "),
        (("run", "digits", "--answers", "0"), 2, "error: recipe 'margin': answers must be a whole number"),
        (("run", "digits", "--stop", "labels("), 2, "error: cannot read the stop rule 'labels('"),
        (("run", "digits", "--task", "multi"), 2, "error: Invalid value for '--task': 'multi' is not one of "),
        (("run", "digits", "--test-size", "x"), 2, "error: Invalid value for '--test-size': 'x' is neither a count "),
        (("run", "digits", "--test-size", "1.5"), 2, "error: test_size must be a count or a share below 1, got 1.5"),
        (("run", "digits", "--initial", "5000"), 2, "error: the budget of "),
        (("run", "digits", "--initial", "0"), 2, "error: recipe 'margin': initial_size must be a whole number"),
        (("status", "no/such/project"), 5, "error: no/such/project is not an askwell project"),
        (("export", "no/such/project", "-o", "x.csv"), 5, "error: no/such/project is not an askwell project"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line_and_writes_nothing(
    askwell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], code: int, begin: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = askwell(*args)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(begin)
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
