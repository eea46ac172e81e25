"""Sheets: what is written opens in a spreadsheet program, and what comes back from one is read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askwell.engine.sheets import COLUMNS, Line, read_sheet, write_sheet
from askwell.errors import BadData, NotWritable, UnknownName

ROWS: list[dict[str, Any]] = [
    {"question": 1, "id": "a", "item": "one\ntwo", "choices": ["cat", "dog"], "score": -0.5},
    {"question": 2, "id": "=b", "item": "=1+1", "choices": ["cat", "dog"], "score": None},
]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_sheet_opens_in_a_spreadsheet_program(tmp_path: Path, ending: str) -> None:
    path = write_sheet(tmp_path / f"q.{ending}", ROWS)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file, delimiter="," if ending == "csv" else "\t"))
    assert tuple(found[0]) == COLUMNS
    assert found[0]["item"] == "one\ntwo"
    assert (found[0]["choices"], found[0]["score"], found[0]["label"]) == ("cat | dog", "-0.5", "")
    assert (found[1]["id"], found[1]["item"]) == ("'=b", "'=1+1")


def test_a_jsonl_sheet_has_plain_values(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "q.jsonl", ROWS)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[1] == {**ROWS[1], "label": None, "note": None}
    assert read_sheet(path) == [Line(1, 1, "a", ""), Line(2, 2, "=b", "")]


@given(keys=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=5))
def test_ids_come_back_as_they_were(keys: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sheets") / "q.csv"
    write_sheet(path, [{"question": place, "id": f"={key}"} for place, key in enumerate(keys)])
    assert [line.id for line in read_sheet(path)] == [f"={key}".strip() for key in keys]


@pytest.mark.parametrize("text", ["'=1", "''@x", "'tis", "-", "+1", "plain"])
def test_apostrophes_of_ones_own_are_kept(tmp_path: Path, text: str) -> None:
    path = write_sheet(tmp_path / "q.csv", [{"question": 1, "id": text}])
    assert read_sheet(path)[0].id == text


@pytest.mark.parametrize(
    ("name", "content", "comma"),
    [
        ("a.csv", "question;id;label\r\n1;a;cat\r\n2;b;\r\n".encode("utf-8-sig"), True),
        ("a.csv", "question\tid\tlabel\r\n1\ta\tcat\r\n2\tb\t\r\n".encode("utf-16"), False),
        ("a.csv", b"Label , QUESTION,id\ncat,1,a\n,2,b\n", False),
        ("a.tsv", b'note\tquestion\tid\tlabel\n"a\nb"\t1\ta\tcat\n\t2\tb\t\n', False),
        ("a.jsonl", b'{"question": "1", "id": "a", "label": "cat"}\n\n{"question": "2", "id": "b"}\n', False),
    ],
    ids=["semicolons", "utf-16", "any case", "tabs", "jsonl"],
)
def test_what_spreadsheet_programs_save_is_read(tmp_path: Path, name: str, content: bytes, comma: bool) -> None:
    (tmp_path / name).write_bytes(content)
    lines = read_sheet(tmp_path / name)
    assert [(line.question, line.id, line.label, line.comma) for line in lines] == [
        ("1", "a", "cat", comma),
        ("2", "b", "", comma),
    ]
    assert [line.row for line in lines] == ([1, 3] if name.endswith("jsonl") else [2, 3])
    assert [line.answered for line in lines] == [True, False]


def test_empty_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question;label;note\n\n1;cat;\n;;\n;;later\n2;;\n")
    assert [(line.row, line.question) for line in read_sheet(tmp_path / "a.csv")] == [(3, "1"), (6, "2")]


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("question,label\n1,Käfer\n".encode("cp1252"))
    assert read_sheet(path, "cp1252")[0].label == "Käfer"
    with pytest.raises(BadData, match=r"a\.csv is not utf-8 text \(byte 0xe4\): give its encoding, such as "):
        read_sheet(path)
    with pytest.raises(BadData, match="there is no encoding 'utf-99'"):
        read_sheet(path, "utf-99")


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        ("question,lable\n1,a\n", UnknownName, "unknown column of a.csv: 'label': did you mean 'lable'? Known: "),
        ("questoin,label\n1,a\n", UnknownName, "unknown column of a.csv: 'question': did you mean 'questoin'? Known: "),
        ("question,label\n", BadData, "a.csv has no rows"),
        ("", BadData, "a.csv is empty"),
        ("question,label\n1,a,b\n", BadData, "a.csv: row 2 has 3 values for 2 columns"),
    ],
    ids=["label", "question", "rows", "empty", "width"],
)
def test_a_sheet_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, error: type[Exception], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(content)
    with pytest.raises(error) as caught:
        read_sheet(Path("a.csv"))
    assert str(caught.value).startswith(text)


def test_files_that_are_no_sheets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown ending of a sheet '\.xlsx'"):
        read_sheet(tmp_path / "a.xlsx")
    with pytest.raises(BadData, match="there is no file "):
        read_sheet(tmp_path / "a.csv")
    with pytest.raises(NotWritable, match="cannot write in "):
        write_sheet(tmp_path / "no" / "a.csv", ROWS)
