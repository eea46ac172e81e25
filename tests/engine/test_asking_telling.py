"""Questions as rows and rows as answers, for every kind of label and of item."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from askwell.engine.asking import ask_sheet, shown
from askwell.engine.project import Project
from askwell.engine.telling import Told, tell_sheet
from askwell.errors import BadData, BadLabel, Conflict, NeverAsked, UnknownName

TEXTS = [f"text {n}" for n in range(20)]


def project_of(folder: Path, data: Any = TEXTS, strategy: str = "random", **loading: Any) -> Project:
    return Project.create(folder / "p", data, loading=loading, strategy=strategy, initial=6, batch=4)


def sheet(path: Path, rows: Sequence[Sequence[str]], delimiter: str = ",") -> Path:
    path.write_text("".join(f"{delimiter.join(row)}\n" for row in rows))
    return path


def values(project: Project) -> dict[int | None, Any]:
    return {vote.question: vote.value for vote in project.store.votes()}


def test_rows_say_what_is_asked(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=["no", "yes"]) as project:
        rows = ask_sheet(project)
        assert len(rows) == 6
        assert rows[0] == {
            "question": 1,
            "id": rows[0]["id"],
            "item": f"text {rows[0]['id']}",
            "choices": ["no", "yes"],
            "score": None,
        }
        project.store.give_back(1, "me")
        assert [row["question"] for row in ask_sheet(project, 3)] == [2, 3, 4]


def test_questions_of_a_sheet_are_held_for_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with project_of(tmp_path, classes=["no", "yes"]) as project:
        now = [1e9]
        monkeypatch.setattr("askwell.store.store.time.time", lambda: now[0])
        asked = [row["id"] for row in ask_sheet(project, 3)]
        now[0] += 6 * 24 * 3600
        assert not {row["id"] for row in ask_sheet(project, 3, annotator="ann")} & set(asked)
        now[0] += 2 * 24 * 3600
        assert [row["id"] for row in ask_sheet(project, 3, annotator="bob")] == asked


def test_pictures_are_shown_by_their_paths(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "more").mkdir()
    for n in range(8):
        Image.new("L", (4, 4), n).save(tmp_path / "pictures" / f"{n}.png")
    with project_of(tmp_path, tmp_path / "pictures", classes=["no", "yes"]) as project:
        for row in ask_sheet(project):
            assert row["item"] == str(tmp_path / "pictures" / row["id"])
        Image.new("L", (4, 4), 99).save(tmp_path / "more" / "new.png")
        project.add(tmp_path / "more")
        rows = ask_sheet(project, 9, annotator="ann")
        assert {row["id"]: row["item"] for row in rows}["new.png"] == str(tmp_path / "more" / "new.png")


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("as it is\n", "as it is\n"),
        ({"height": 1.0, "width": 2.25}, "height 1, width 2.25"),
        (np.array([0.5, 2.0]), "(2,) 0.5 2"),
        (np.zeros((3, 4), np.uint8), "(3, 4) 0 0 0 0 0 0 0 0 …"),
    ],
)
def test_items_are_shown_as_short_texts(item: Any, text: str) -> None:
    assert shown(item) == text


def test_many_classes_are_not_all_listed(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=[f"c{n}" for n in range(30)]) as project:
        assert ask_sheet(project, 1)[0]["choices"] == [*(f"c{n}" for n in range(12)), "… 18 more"]


def test_several_labels(tmp_path: Path) -> None:
    with project_of(tmp_path, task="multi_label", classes=["car", "sky", "tree"]) as project:
        ask_sheet(project)
        rows = [("question", "label"), ("1", "tree | car"), ("2", "[]"), ("3", ""), ("4", "?"), ("5", "sky")]
        told = tell_sheet(project, sheet(tmp_path / "a.csv", rows))
        assert told == Told(labels=3, unsure=1, empty=1)
        assert values(project) == {1: ["car", "tree"], 2: [], 5: ["sky"]}
        with pytest.raises(BadLabel, match=r"row 2: label 'car\|tre': 'tre' is not a class: did you mean 'tree'\?"):
            tell_sheet(project, sheet(tmp_path / "b.csv", [("question", "label"), ("6", "car|tre")]))


def test_numbers(tmp_path: Path) -> None:
    with project_of(tmp_path, task="regression") as project:
        assert ask_sheet(project)[0]["choices"] == []
        rows = [("question", "label"), ("1", "-2.5"), ("2", "-"), ("3", "1e3")]
        assert tell_sheet(project, sheet(tmp_path / "a.csv", rows)) == Told(labels=2, skipped=1)
        rows = [("question", "label"), ("4", "0,25"), ("5", "-7")]
        assert tell_sheet(project, sheet(tmp_path / "b.csv", rows, ";")) == Told(labels=2)
        assert values(project) == {1: -2.5, 3: 1000.0, 4: 0.25, 5: -7.0}
        with pytest.raises(BadLabel, match=r"row 2: label '1,000' is not a finite number$"):
            tell_sheet(project, sheet(tmp_path / "c.csv", [("question", "label"), ("6", '"1,000"')]))


def test_classes_may_be_called_like_other_answers(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=["-", "?", "1"]) as project:
        ask_sheet(project)
        rows = [("question", "label"), ("1", "-"), ("2", "?"), ("3", "skip"), ("4", "1")]
        assert tell_sheet(project, sheet(tmp_path / "a.csv", rows)) == Told(labels=3, skipped=1)
        assert values(project) == {1: "-", 2: "?", 4: "1"}
        (tmp_path / "a.jsonl").write_text('{"question": 5, "label": 1}\n{"question": 6, "label": 0}\n')
        with pytest.raises(BadLabel, match=r"row 2: label '0' is not a class"):
            tell_sheet(project, tmp_path / "a.jsonl")
        assert 5 not in values(project)


def test_second_opinions_are_kept(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=["no", "yes"]) as project:
        ask_sheet(project)
        path = sheet(tmp_path / "a.csv", [("question", "label"), ("1", "yes")])
        assert tell_sheet(project, path) == tell_sheet(project, path, annotator="ann") == Told(labels=1)
        assert [vote.annotator for vote in project.store.votes()] == ["me", "ann"]


@pytest.mark.parametrize("late", ["skip", "?"])
def test_an_answer_is_taken_back_by_a_correction_only(tmp_path: Path, late: str) -> None:
    with project_of(tmp_path, classes=["no", "yes"]) as project:
        ask_sheet(project)
        tell_sheet(project, sheet(tmp_path / "a.csv", [("question", "label"), ("1", "yes")]))
        path = sheet(tmp_path / "b.csv", [("question", "label"), ("1", late), ("2", "yes")])
        with pytest.raises(Conflict, match="question 1 was answered with 'yes' before, and now with "):
            tell_sheet(project, path)
        assert values(project) == {1: "yes"}
        tell_sheet(project, path, correct=True)
        assert values(project) == {2: "yes"}


def test_the_price_of_an_answer_is_paid_once(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=["no", "yes"]) as project:
        ask_sheet(project)
        for label in ("no", "no", "yes"):
            tell_sheet(project, sheet(tmp_path / "a.csv", [("question", "label"), ("1", label)]), correct=True)
        assert project.store.cost == 1.0


def test_items_set_apart_take_no_label(tmp_path: Path) -> None:
    labels = ["no", "yes"] * 10
    with project_of(tmp_path, labels=labels, test_size=4) as project:
        key = str(project.data.split.test[0])
        path = sheet(tmp_path / "a.csv", [("id", "label"), (key, "yes")])
        with pytest.raises(NeverAsked):
            tell_sheet(project, path)
        with pytest.raises(BadData, match=r"row 2: an item that is never labelled: it is set apart for validation"):
            tell_sheet(project, path, volunteer=True)


def test_one_unknown_id_is_named_with_its_row(tmp_path: Path) -> None:
    with project_of(tmp_path, classes=["no", "yes"], key=[f"item-{n}" for n in range(20)]) as project:
        path = sheet(tmp_path / "a.csv", [("id", "label"), ("itm-3", "yes")])
        with pytest.raises(BadData, match=r"row 2: unknown item 'itm-3': did you mean 'item-3'\?") as caught:
            tell_sheet(project, path, volunteer=True)
        assert not isinstance(caught.value, UnknownName)
