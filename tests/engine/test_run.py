"""The main job: arms, seeds, folders, going on where it was."""

from __future__ import annotations

import json
import shutil

import pytest

import askwell as aw
from askwell.data import load
from askwell.engine.project import Project
from askwell.engine.status import status
from askwell.errors import InputError, ProjectError

QUICK = {"learner": "linear", "initial": 20, "batch": 20, "quiet": True}


def rows(folder, seed=0):
    with Project.open(folder / f"seed-{seed}") as project:
        return [[row.item for row in project.store.questions(one.round)] for one in project.reports]


def test_both_arms_and_all_seeds_are_projects_on_disk(tmp_path):
    result = aw.run("digits", strategy="margin", rounds=2, seeds=2, out=tmp_path, **QUICK)
    folders = sorted(path.name.rsplit("-", 1)[0] for path in tmp_path.iterdir())
    assert folders == ["digits-margin", "digits-random"]
    assert [len(curve) for arm in result.curves().values() for curve in arm] == [3, 3, 3, 3]
    assert result.picture.stat().st_size > 10_000
    summary = json.loads((result.folder / "result.json").read_text())
    assert summary["curves"]["margin"] == [[list(point) for point in curve] for curve in result.curves()["margin"]]
    assert rows(result.folder, 0) != rows(result.folder, 1)
    lines = (result.folder / "seed-0" / "rounds.jsonl").read_text().splitlines()
    assert [json.loads(line)["labels"] for line in lines] == [20, 40, 60]


def test_arms_of_a_seed_share_their_initial_items(tmp_path):
    result = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    other = next(path for path in tmp_path.iterdir() if "random" in path.name)
    assert rows(result.folder)[0] == rows(other)[0]
    assert result.curves()["margin"][0][0] == result.curves()["random"][0][0]


def test_a_strategy_that_chooses_its_own_start_meets_a_random_start(tmp_path):
    result = aw.run("digits", strategy="typiclust", rounds=0, out=tmp_path, **QUICK)
    other = next(path for path in tmp_path.iterdir() if "random" in path.name)
    assert rows(result.folder)[0] != rows(other)[0]


def test_the_same_call_again_trains_nothing(tmp_path):
    first = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    again = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    assert again.arms == first.arms


def test_more_rounds_continue_and_fresh_starts_over(tmp_path):
    short = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    longer = aw.run("digits", strategy="margin", rounds=3, out=tmp_path, **QUICK)
    assert longer.folder == short.folder
    assert list(longer.arms["margin"][0][:2]) == list(short.arms["margin"][0])
    fresh = aw.run("digits", strategy="margin", rounds=3, out=tmp_path, fresh=True, **QUICK)
    assert fresh.arms["margin"][0][0].seconds != longer.arms["margin"][0][0].seconds
    assert fresh.curves() == longer.curves()


def test_a_changed_number_makes_another_folder(tmp_path):
    one = aw.run("digits", strategy="margin", rounds=0, out=tmp_path, **QUICK)
    two = aw.run("digits", strategy="margin", rounds=0, out=tmp_path, **{**QUICK, "batch": 21})
    assert one.folder != two.folder


def test_a_stop_rule_ends_the_first_arm(tmp_path):
    result = aw.run("digits", strategy="margin", rounds=3, stop="labels(40)", out=tmp_path, **QUICK)
    assert [len(arm[0]) for arm in result.arms.values()] == [2, 4]
    assert result.stopped == {"margin": "40 labels"}


def test_a_half_made_project_is_made_again(tmp_path):
    result = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    shutil.rmtree(result.folder / "seed-0")
    (result.folder / "seed-0" / "models").mkdir(parents=True)
    (result.folder / "seed-0" / "labels.db").touch()
    again = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    assert again.curves() == result.curves()


def test_answers_without_a_manifest_are_only_given_up_on_request(tmp_path):
    result = aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    (result.folder / "seed-0" / "project.json").unlink()
    with pytest.raises(ProjectError, match="is not empty"):
        aw.run("digits", strategy="margin", rounds=1, out=tmp_path, **QUICK)
    assert aw.run("digits", strategy="margin", rounds=1, out=tmp_path, fresh=True, **QUICK).curves() == result.curves()


@pytest.mark.parametrize("harm", ["lost", "swapped"])
def test_the_model_file_may_be_lost_or_belong_to_another_fit(tmp_path, harm):
    short = aw.run("digits", strategy="margin", rounds=1, out=tmp_path / "one", against=None, **QUICK)
    other = aw.run("digits", strategy="margin", rounds=1, out=tmp_path / "other", against=None, **QUICK, seeds=[5])
    for file in (short.folder / "seed-0" / "models").iterdir():
        if harm == "lost":
            file.unlink()
        else:
            shutil.copy(other.folder / "seed-5" / "models" / file.name, file)
    longer = aw.run("digits", strategy="margin", rounds=2, out=tmp_path / "one", against=None, **QUICK)
    whole = aw.run("digits", strategy="margin", rounds=2, out=tmp_path / "two", against=None, **QUICK)
    assert longer.curves() == whole.curves()


def test_no_seed_is_refused():
    with pytest.raises(InputError, match="seeds must name at least one seed"):
        aw.run("digits", seeds=[], strategy="margin")


def test_status_needs_neither_data_nor_model(tmp_path, blobs):
    points, labels = blobs
    data = load(points, labels=labels, classes=["a", "b", "c"])
    with Project.create(tmp_path / "p", data, initial=6) as project:
        questions = project.ask(6)
        project.tell(questions[0].id, "a", cost=2.5)
        found = project.status()
    assert status(tmp_path / "p") == found
    assert (found["items"]["answered"], found["items"]["out"], found["cost"]) == (1, 5, 2.5)
