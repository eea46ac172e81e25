"""A project from the command line alone: create, ask, tell, train, ask again, predict, export, edit."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]
Fill = Callable[[str, Callable[[dict[str, str]], str]], None]
GOOD, BAD = ("great", "lovely", "superb", "warm"), ("awful", "dull", "sad", "cold")
FAST = ("--scheme", "supervised(steps=40)", "--strategy", "margin")


def text_of(n: int) -> str:
    words = GOOD if n % 2 else BAD
    return f"a {words[n % 4]} and {words[(n // 4) % 4]} film about {n}"


def write(path: str, rows: Iterable[Iterable[Any]], **how: Any) -> None:
    with open(path, "w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
        csv.writer(file, **how).writerows(rows)


def fill(path: str, answer: Callable[[dict[str, str]], str], **how: Any) -> None:
    """Fills in the column `label` as a person would, and saves the sheet as a spreadsheet program would."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    write(path, [list(rows[0]), *([*{**row, "label": answer(row)}.values()] for row in rows)], **how)


def truth(row: dict[str, str]) -> str:
    return "pos" if int(row["id"][1:]) % 2 else "neg"


@pytest.fixture
def say(askwell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command that succeeds, in a folder with a project `p`, and gives what --json prints."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Any:
        done = askwell(*args, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    write("films.csv", [["key", "text"], *([f"f{n}", text_of(n)] for n in range(80))])
    run("create", "p", "films.csv", "--key", "key", "--classes", "neg,pos", "--initial", 10, "--batch", 6, *FAST)
    return run


def test_a_spreadsheet_is_enough_to_label(say: Run, tmp_path: Path) -> None:
    first = say("ask", "p", "-o", "q.csv")
    assert [row["question"] for row in first["questions"]] == list(range(1, 11))
    assert first["out"] == "q.csv"
    fill("q.csv", truth, delimiter=";", encoding="cp1252")
    told = say("tell", "p", "q.csv", "--encoding", "cp1252")
    assert (told["labels"], told["empty"], told["unchanged"]) == (10, 0, 0)
    assert told["items"]["answered"] == 10
    trained = say("train", "p")
    assert (trained["round"], trained["labels"], trained["metrics"]) == (0, 10, {})

    second = say("ask", "p", "-o", "q.csv")
    assert len(second["questions"]) == 6
    assert all(isinstance(row["score"], float) for row in second["questions"])
    assert {row["id"] for row in first["questions"]} & {row["id"] for row in second["questions"]} == set()
    fill("q.csv", truth)
    assert say("tell", "p", "q.csv")["items"]["answered"] == 16
    say("train", "p")

    write("new.csv", [["key", "text"], *([f"n{n}", text_of(n)] for n in range(40))])
    assert say("predict", "p", "new.csv", "-o", "out.csv") == {"project": "p", "items": 40, "out": "out.csv"}
    with open("out.csv", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == ["id", "class", "p(neg)", "p(pos)"]
    assert sum(row["class"] == truth(row) for row in found) >= 36
    assert all(abs(float(row["p(neg)"]) + float(row["p(pos)"]) - 1) < 1e-5 for row in found)
    printed = say("predict", "p", "new.csv")["predictions"]
    assert [row["class"] for row in printed] == [row["class"] for row in found]

    assert say("export", "p", "--model", "model", "-o", "labels.jsonl")["model"] == "model"
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert len(Path("labels.jsonl").read_text().splitlines()) > 32
    assert say("status", "p")["rounds"] == 2


def test_questions_stay_until_they_are_answered(say: Run, askwell: Run) -> None:
    asked = say("ask", "p", "-n", 3)["questions"]
    assert say("ask", "p", "-n", 3)["questions"] == asked
    assert say("ask", "p", "-n", 9)["questions"] == asked
    others = say("ask", "p", "-n", 2, "--annotator", "ann")["questions"]
    assert {row["id"] for row in others} & {row["id"] for row in asked} == set()
    shown = askwell("ask", "p", "-n", 3)
    assert shown.out.splitlines()[0].split() == ["question", "id", "item"]
    assert [line.split()[1] for line in shown.out.splitlines()[1:]] == [row["id"] for row in asked]
    assert askwell("ask", "p", "-n", 3, "-o", "q.csv", "--quiet").out == "q.csv\n"
    assert askwell("ask", "p", "-n", 3, "-o", "q.csv").out == "3 questions in q.csv\n"


def test_the_same_sheet_again_changes_nothing_and_another_answer_is_a_correction(say: Run, askwell: Run) -> None:
    say("ask", "p", "-n", 4, "-o", "q.csv")
    words = iter(["pos", "?", "skip", ""])
    fill("q.csv", lambda row: next(words))
    told = say("tell", "p", "q.csv")
    assert [told[name] for name in ("labels", "unsure", "skipped", "empty")] == [1, 1, 1, 1]
    again = say("tell", "p", "q.csv")
    assert (again["unchanged"], again["labels"], again["empty"]) == (3, 0, 1)
    assert {**again["items"]} == told["items"]

    words = iter(["?", "neg", "-", "pos"])
    fill("q.csv", lambda row: next(words))
    done = askwell("tell", "p", "q.csv")
    assert done.code == 5
    assert done.err == (
        "error: q.csv: 2 answers are refused, so none is recorded; row 2: question 1 was answered with 'pos' before, "
        "and now with unsure: say that it is a correction (--correct); row 3: question 2 was answered with unsure "
        "before, and now with 'neg': say that it is a correction (--correct)\n"
    )
    assert say("status", "p")["items"] == told["items"]
    told = say("tell", "p", "q.csv", "--correct")
    assert [told[name] for name in ("labels", "corrected", "unsure", "unchanged")] == [1, 1, 1, 1]
    assert (told["items"]["answered"], told["items"]["unsure"], told["items"]["skipped"]) == (2, 1, 1)
    assert say("tell", "p", "q.csv")["unchanged"] == 4


def test_all_wrong_rows_are_named_and_nothing_is_recorded(say: Run, askwell: Run) -> None:
    asked = say("ask", "p", "-n", 5)["questions"]
    keys = [row["id"] for row in asked]
    write(
        "a.csv",
        [
            ["question", "id", "label"],
            [1, keys[0], "pos"],
            [2, keys[1], "poss"],
            [3, "", "poss"],
            [4, keys[0], "neg"],
            [99, "", "neg"],
            ["", "", "neg"],
            ["", "f999", "neg"],
            [1, keys[0], "neg"],
            ["", "", ""],
        ],
    )
    done = askwell("tell", "p", "a.csv")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: a.csv: 7 answers are refused, so none is recorded; ")
    reasons = done.err.partition("recorded; ")[2].rstrip().split("; ")
    assert reasons[:5] == [
        "rows 3 and 4: label 'poss' is not a class: did you mean 'pos'? Classes: neg, pos",
        f"row 5: question 4 is about item {keys[3]!r}, and the row says {keys[0]!r}: is it another project's sheet? "
        "Without its column id, question numbers count",
        "row 6: question '99' was never asked",
        "row 7: there is a label, and neither a question nor an id",
        reasons[4],
    ]
    assert reasons[4].startswith("row 8: unknown item 'f999': did you mean ")
    assert reasons[5:] == ["row 9: question 1 is answered otherwise in row 2"]
    assert say("status", "p")["items"]["answered"] == 0


def test_labels_that_nobody_asked_for_are_kept_on_request(say: Run, askwell: Run) -> None:
    asked = say("ask", "p", "-n", 1)["questions"][0]["id"]
    others = [f"f{n}" for n in range(80) if f"f{n}" != asked][:3]
    write("a.csv", [["id", "label"], [asked, "pos"], *([key, "neg"] for key in others)])
    done = askwell("tell", "p", "a.csv")
    assert (done.code, done.err) == (
        5,
        "error: a.csv: 3 answers are refused, so none is recorded; rows 3, 4 and 5: a label for an item that was not "
        "asked: say that it is volunteered (--volunteer)\n",
    )
    told = say("tell", "p", "a.csv", "--volunteer")
    assert (told["labels"], told["volunteered"], told["items"]["answered"]) == (1, 3, 4)
    write("a.csv", [["id", "label"], [others[0], "pos"]])
    assert askwell("tell", "p", "a.csv", "--volunteer").code == 5
    assert say("tell", "p", "a.csv", "--volunteer", "--correct")["corrected"] == 1
    write("a.csv", [["id", "label"], ["f70", "?"]])
    assert "an item that was not asked has a label or none" in askwell("tell", "p", "a.csv", "--volunteer").err


def test_a_sheet_with_answers_is_not_overwritten(say: Run, askwell: Run) -> None:
    say("ask", "p", "-n", 2, "-o", "q.csv")
    fill("q.csv", truth)
    done = askwell("ask", "p", "-n", 2, "-o", "q.csv")
    assert done.code == 5
    assert done.err == "error: q.csv holds 2 answers that have not been told: tell them, or choose another file\n"
    done = askwell("ask", "p", "-n", 2, "-o", "films.csv")
    assert done.code == 2
    assert done.err.startswith("error: films.csv is there already and is no sheet of questions (unknown column of ")
    done = askwell("ask", "p", "-n", 2, "-o", "q.xlsx")
    assert (done.code, done.err) == (
        2,
        "error: unknown ending of a sheet '.xlsx': Known: .csv, .jsonl, .tsv\n",
    )
    assert say("status", "p")["rounds"] == 1


def test_jsonl_goes_both_ways(say: Run) -> None:
    say("ask", "p", "-n", 2, "-o", "q.jsonl")
    rows = [json.loads(line) for line in Path("q.jsonl").read_text().splitlines()]
    assert rows[0]["choices"] == ["neg", "pos"]
    Path("a.jsonl").write_text("".join(json.dumps({**row, "label": truth(row)}) + "\n" for row in rows))
    assert say("tell", "p", "a.jsonl")["labels"] == 2


def test_items_and_classes_are_edited(say: Run, askwell: Run) -> None:
    say("ask", "p", "-n", 4, "-o", "q.csv")
    fill("q.csv", truth)
    say("tell", "p", "q.csv")
    write("more.csv", [["key", "text"], ["m0", "a fine film"], ["m1", "a bad film"]])
    assert sum(say("edit", "add", "p", "more.csv")["items"].values()) == 82
    Path("ids.txt").write_text("m0\nf70\n")
    assert say("edit", "remove", "p", "ids.txt")["items"]["removed"] == 2
    assert say("edit", "add-class", "p", "mixed")["classes"] == ["neg", "pos", "mixed"]
    assert say("edit", "rename-class", "p", "neg", "bad")["classes"] == ["bad", "pos", "mixed"]
    done = askwell("tell", "p", "q.csv")
    assert "class 'neg' is now 'bad': answer with that name" in done.err
    fill("q.csv", lambda row: truth(row).replace("neg", "bad"))
    assert say("tell", "p", "q.csv")["unchanged"] == 4
    merged = say("edit", "merge-classes", "p", "pos", "mixed", "--into", "good")["classes"]
    assert merged == ["bad", "good"]
    done = askwell("edit", "rename-class", "p", "goood", "x")
    assert (done.code, done.err) == (2, "error: unknown class 'goood': did you mean 'good'? Known: bad, good\n")
    done = askwell("edit", "remove", "p", "no.txt")
    assert done.err.startswith("error: ids: cannot read no.txt: ")


def test_columns_of_several_labels_are_named_one_by_one_or_together(say: Run, askwell: Run) -> None:
    rows = [[f"film {n}", n % 2, (n + 1) % 2] for n in range(20)]
    write("tags.csv", [["text", "short", "funny"], *rows])
    for place, labels in enumerate((("--label", "short", "--label", "funny"), ("--label", "short,funny"))):
        made = say("create", f"tags-{place}", "tags.csv", "--task", "multi_label", *labels)
        assert made["classes"] == ["short", "funny"]
        assert made["items"]["reserved"] == 4
    done = askwell("create", "other", "tags.csv", "--task", "multi_label", "--label", "short,funy")
    assert (done.code, done.out) == (2, "")
    assert "did you mean 'funny'?" in done.err
    assert not Path("other").exists()


def test_numbers_with_features_and_a_seed(say: Run) -> None:
    rng = np.random.default_rng(0)
    np.save("features.npy", rng.normal(size=(30, 4)).astype("float32"))
    rows = [[n, n + 1, n / 3] for n in range(30)]
    write("sizes.csv", [["height", "width", "size"], *rows], encoding="utf-16")
    table = ("--encoding", "utf-16", "--columns", "height,width", "--label", "size")
    made = say(
        "create", "sizes", "sizes.csv", "--task", "regression", *table, "--features", "features.npy",
        "--seed", 7, "--device", "auto", "--precision", "bfloat16", "--answers", 2, "--resolve", "last",
    )  # fmt: skip
    assert made["recipe"] == "greedy_sampling"
    manifest = json.loads(Path("sizes", "project.json").read_text())
    assert manifest["seed"] == 7
    assert manifest["recipe"]["learner"]["precision"] == "bfloat16"
    assert (manifest["recipe"]["answers"], manifest["recipe"]["resolve"]) == (2, "last")
    assert manifest["data"]["options"]["columns"] == ["height", "width"]


def test_what_to_export_has_to_be_said(say: Run, askwell: Run) -> None:
    done = askwell("export", "p")
    assert (done.code, done.err) == (
        2,
        "error: nothing to export: give --out FILE for questions and answers, --model FOLDER for the model\n",
    )
    done = askwell("predict", "p", "-o", "out.parquet")
    assert (done.code, done.err) == (2, "error: unknown ending of predictions '.parquet': Known: .csv\n")


def test_a_file_of_ids_that_cannot_be_read_is_named(say: Run, askwell: Run, tmp_path: Path) -> None:
    assert askwell("edit", "remove", "p", "no.txt").err == "error: ids: cannot read no.txt: No such file or directory\n"
    (tmp_path / "ids.txt").write_bytes("Käse".encode("cp1252"))
    assert askwell("edit", "remove", "p", "ids.txt").err == "error: ids: ids.txt is not UTF-8 text\n"
    (tmp_path / "ids.txt").write_text("\ufefff1\n\nf2\n", encoding="utf-8")
    assert say("edit", "remove", "p", "ids.txt")["items"]["removed"] == 2
