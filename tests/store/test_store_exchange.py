"""Export and import are inverse to each other, in every format."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from store_scenes import batch, made, new, say

from askwell.errors import BadData, Conflict, MissingExtra, NotWritable, UnknownName
from askwell.store import Store, export, majority, restore

FORMATS = ["jsonl", "csv", "parquet"]
HARD = ["cat", 'a "quoted",\n\r\nvalue', "", None, 1, 2.5, True, {"box": [0, 1.5]}, [[0, 3], [7, 9]], "ü€", "=1+1"]


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def names(positions: Sequence[int]) -> list[str]:
    return [f"picture {position}.png" for position in positions]


def rich(folder: Path) -> Store:
    """A store that uses everything."""
    store = new(folder, n=30, name="rich.db")
    store.reserve("test", [28, 29])
    store.reserve("validation", [])
    store.register(["ann", "bob"], kind="person")
    arrays = {"weights": np.ones(3, np.float32), "note": None}
    parts = [made(np.arange(4.0), how="mixed"), made(None, parent=3, role="copy")]
    scores = [float(score) / 3 for score in range(11)]
    store.plan(0, batch(range(11), scores=scores, made=parts, state=arrays), basis=0, answers=2, weights="w0")
    for question, value in enumerate(HARD, start=1):
        say(store, question, "ann" if question % 2 else "cas", verb="unsure" if value is None else "label", value=value)
    say(store, 1, "bob", "skip", token="a token")
    store.write_report(0, {"basis": store.last, "auroc": float("nan")})
    store.plan(1, batch([11, 12], units=("left", "right"), annotators=[1, 0]), basis=store.last, facts={"seed": 3})
    say(store, 2, "cas", "retract", refers=store.answer_of(2, "cas"), cost=0.0)
    say(store, 2, "cas", value="dog")
    say(store, 1, verb="also", item=20)
    say(store, None, item=21, value=[1, 2], volunteered=True)
    say(store, 5, verb="close", seconds=0.1)
    return store


def same(one: Store, two: Store) -> None:
    assert list(one.votes()) == list(two.votes())
    assert one.states().tolist() == two.states().tolist()
    assert one.history() == two.history()
    assert one.questions() == two.questions()
    assert [row.question for row in one.pending()] == [row.question for row in two.pending()]
    assert one.labelled(majority).values == two.labelled(majority).values
    assert repr(one.made()) == repr(two.made())
    assert repr(one.rounds()) == repr(two.rounds())
    assert repr(one.reports()) == repr(two.reports())
    assert one.annotators == two.annotators
    assert repr(one.state) == repr(two.state)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("keys", [None, names])
def test_a_store_comes_back_whole(tmp_path: Path, ending: str, keys: None) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=30) as other:
        file = export(store, tmp_path / f"all.{ending}", keys=keys)
        assert restore(other, file, keys=keys) > 40
        same(store, other)
        again = export(other, tmp_path / f"again.{ending}", keys=keys)
        assert again.read_bytes() == file.read_bytes()
        question = say(other, 12, "bob")
        assert question == store.last + 1


def test_all_formats_hold_the_same(tmp_path: Path) -> None:
    with rich(tmp_path) as store:
        for ending in FORMATS:
            with new(tmp_path, n=30, name=f"{ending}.db") as other:
                restore(other, export(store, tmp_path / f"all.{ending}"))
                text = export(other, tmp_path / f"{ending}.jsonl").read_text()
        assert text == export(store, tmp_path / "all.jsonl").read_text()


def test_a_csv_row_reads_well(tmp_path: Path) -> None:
    import csv

    with rich(tmp_path) as store:
        file = export(store, tmp_path / "all.csv", keys=names)
    with file.open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["record"] == "event"]
    first = {key: rows[0][key] for key in ("id", "verb", "key", "annotator", "value", "cost")}
    assert first == {
        "id": "1", "verb": "label", "key": "picture 0.png", "annotator": "ann", "value": '"cat"', "cost": "1.0"
    }  # fmt: skip


def test_the_format_may_be_named(tmp_path: Path) -> None:
    with rich(tmp_path) as store:
        file = export(store, tmp_path / "all.txt", "jsonl")
        assert json.loads(file.read_text().splitlines()[0])["record"] == "segment"
        message = "unknown format 'txt': Known: csv, jsonl, parquet"
        with pytest.raises(UnknownName, match=exactly(message)):
            export(store, file)


def test_a_store_with_a_record_takes_no_other(tmp_path: Path) -> None:
    with rich(tmp_path) as store:
        file = export(store, tmp_path / "all.csv")
        message = f"cannot read {file} into a store that has a record already: use a new store"
        with pytest.raises(Conflict, match=exactly(message)):
            restore(store, file)


def test_other_items_are_refused(tmp_path: Path) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=20) as other:
        file = export(store, tmp_path / "all.csv", keys=names)
        with pytest.raises(BadData, match=r"is about other items: it has .*, this store has "):
            restore(other, file)
        assert (other.history(), len(other)) == ([], 20)


def test_other_keys_are_refused(tmp_path: Path) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=30) as other:
        file = export(store, tmp_path / "all.csv", keys=names)
        message = f"{file} is about other items: item 0 is 'picture 0.png' there, '0' here"
        with pytest.raises(BadData, match=exactly(message)):
            restore(other, file, keys=lambda positions: [str(position) for position in positions])


def test_another_split_is_refused(tmp_path: Path) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=30) as other:
        file = export(store, tmp_path / "all.csv")
        other.reserve("test", [1])
        message = f"{file} is about another split: its 'test' items differ from those of this store"
        with pytest.raises(BadData, match=exactly(message)):
            restore(other, file)


def test_the_same_split_may_be_there_already(tmp_path: Path) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=30) as other:
        other.reserve("test", [28, 29])
        restore(other, export(store, tmp_path / "all.jsonl"))
        same(store, other)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\x00\x01garbage", b'{"record": "cake"}\n', b"record,id\ncake,1\n"])
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    file = tmp_path / f"bad.{ending}"
    file.write_bytes(content)
    with new(tmp_path) as store:
        with pytest.raises(BadData, match=f"^{re.escape(str(file))} is no export of a label store: "):
            restore(store, file)
        with pytest.raises(BadData, match=exactly(f"there is no file {tmp_path / 'none.csv'}")):
            restore(store, tmp_path / "none.csv")


def test_a_damaged_export_restores_nothing(tmp_path: Path) -> None:
    with rich(tmp_path) as store, new(tmp_path, n=30) as other:
        file = export(store, tmp_path / "all.jsonl")
        lines = [line for line in file.read_text().splitlines() if '"annotator": "cas", "seen"' not in line]
        file.write_text("\n".join(lines))
        with pytest.raises(BadData, match="its rows of kind 'event' do not fit together"):
            restore(other, file)
        assert (other.questions(), other.annotators, len(other)) == ([], [], 30)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with new(tmp_path) as store:
        file = tmp_path / "none" / "all.csv"
        with pytest.raises(NotWritable, match=exactly(f"cannot write {file}: No such file or directory")):
            export(store, file)


def test_a_missing_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with new(tmp_path) as store, pytest.raises(MissingExtra, match=re.escape('pip install "askwell[tables]"')):
        export(store, tmp_path / "all.parquet")
    assert [path.name for path in tmp_path.glob("*.parquet")] == []


def test_the_store_loads_neither_torch_nor_tables() -> None:
    code = "import sys, askwell.store, askwell.oracles; print({'torch', 'pandas', 'pyarrow'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
