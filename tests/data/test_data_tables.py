from __future__ import annotations

import builtins
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from data_files import tensors

from askwell.core.pool import Form
from askwell.data import Data, TablePool, TextPool, load
from askwell.data.table_files import read_table
from askwell.errors import BadData, BadLabel, BadShape, MissingExtra, NotFinite, UnknownName

FRAME = pd.DataFrame(
    {
        "id": ["r1", "r2", "r3", "r4", "r5"],
        "weight": [1.0, 2.0, 3.0, 4.0, 5.0],
        "height": [10, 20, 20, 40, 60],
        "label": ["cat", "dog", "dog", "cat", "dog"],
    }
)


def written(folder: Path, ending: str) -> Path:
    path = folder / f"pets{ending}"
    if ending == ".parquet":
        FRAME.to_parquet(path)
    elif ending == ".feather":
        FRAME.to_feather(path)
    elif ending == ".tsv":
        FRAME.to_csv(path, index=False, sep="\t")
    elif ending.startswith(".csv"):
        FRAME.to_csv(path, index=False)
    else:
        FRAME.to_json(path, orient="records", lines=True)
    return path


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet", ".feather"])
def test_all_formats_are_read_alike(tmp_path: Path, ending: str) -> None:
    data = load(written(tmp_path, ending), key="id", test_size=0)
    assert isinstance(data.pool, TablePool)
    assert (data.name, data.classes) == ("pets", ("cat", "dog"))
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 1, 0, 1]
    assert data.pool.keys([4]) == ["r5"]
    assert data.pool.item(1) == {"weight": 2.0, "height": 20.0}
    assert data.pool.form == Form("vector", (2,))
    assert load(data.source, **data.options).pool.digest == data.pool.digest


def test_a_frame_in_memory() -> None:
    data = load(FRAME, key="id", columns=["height"], test_size=0)
    assert data.source == ""
    assert data.pool.item(4) == {"height": 60.0}
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 1, 0, 1]


def test_rows_are_scaled_by_the_candidates(tmp_path: Path) -> None:
    data = load(written(tmp_path, ".csv"), key="id", test_size=2)
    rows, chosen = FRAME[["weight", "height"]].to_numpy(), data.split.candidates
    expected = (rows - rows[chosen].mean(0)) / rows[chosen].std(0)
    np.testing.assert_allclose(tensors(data.pool).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(data.pool.features(), expected, rtol=1e-5)


def test_values_are_shown_as_written() -> None:
    pool = TablePool(np.array([[0.04, 3]], np.float32), ["a", "b"])
    assert pool.item(0) == {"a": 0.04, "b": 3.0}


def test_a_column_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "news.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('headline,topic\n"Rain, again",weather\nGoal!,sport\n"Two\nlines",sport\n')
    data = load(path, text="headline", label="topic", length=2, test_size=0)
    assert isinstance(data.pool, TextPool)
    assert [data.pool.item(i) for i in range(3)] == ["Rain, again", "Goal!", "Two\nlines"]
    assert data.pool.form.shape == (2,)
    assert data.classes == ("sport", "weather")


def test_usual_names_need_not_be_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\nyes,1\nno,0\n")
    data = load(path, classes=["no", "yes"], test_size=0)
    assert data.labels is not None
    assert (data.labels.tolist(), data.classes) == ([1, 0], ("no", "yes"))


def test_rows_without_a_label_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\nyes,a\nno,\nperhaps,b\n")
    data = load(path, test_size=2)
    assert data.labels is not None
    assert data.labels.tolist() == [0, -1, 1]
    assert data.split.test.tolist() == [0, 2]


def test_long_fields_and_byte_order_marks(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "word " * 60_000 + ",a\nshort,b\n", encoding="utf-8-sig")
    assert load(path, test_size=0).pool.form.shape == (64,)


GERMAN = "id;höhe;preis\r\n\r\na;1,5;10\r\nb;-2;12,5\r\nc;,5;1e1\r\n"


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_what_excel_saves_where_a_comma_is_decimal(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    path.write_bytes(gzip.compress(GERMAN.encode("cp1252")) if ending.endswith("gz") else GERMAN.encode("cp1252"))
    data = load(path, key="id", label="preis", task="regression", encoding="cp1252", test_size=0)
    assert data.labels is not None
    assert data.labels.tolist() == [10, 12.5, 10]
    assert [data.pool.item(place) for place in range(3)] == [{"höhe": 1.5}, {"höhe": -2.0}, {"höhe": 0.5}]
    assert data.pool.keys([0, 1]) == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "key", "item"),
    [
        ("id\ttext\n1,5\ta; b, c\n", "1,5", "a; b, c"),
        ("id;text\n1,5;2,5\n", "1,5", "2,5"),
        ('id,text;\n7,"a\n\nb"\n', "7", "a\n\nb"),
    ],
    ids=["tabs", "texts and ids stay as they are", "a comma comes first"],
)
def test_the_first_row_says_what_stands_between_cells(tmp_path: Path, body: str, key: str, item: str) -> None:
    (tmp_path / "t.csv").write_text(body, newline="")
    text = body.splitlines()[0][3:]
    pool = load(tmp_path / "t.csv", text=text, key="id", classes=["x", "y"]).pool
    assert (pool.keys([0]), pool.item(0)) == ([key], item)


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n\n1,"2\n"\n\n3\n')
    with pytest.raises(BadData, match=r"t\.csv: row 5 has 1 values for 2 columns"):
        load(path)


def test_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("text,label\nMüller,a\nMaier,b\n".encode("latin-1"))
    for known in ("latin-1", "cp1252", "ISO-8859-15"):
        assert load(path, encoding=known, test_size=0).pool.item(0) == "Müller"
    with pytest.raises(BadData) as caught:
        load(path)
    assert str(caught.value) == (f"{path} is not utf-8 text (byte 0xfc): give its encoding, such as encoding='latin-1'")
    with pytest.raises(BadData, match=r"^there is no encoding 'utf-9': use utf-8, latin-1, cp1252, utf-16 …$"):
        load(path, encoding="utf-9")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".jsonl"])
@pytest.mark.parametrize(
    ("known", "declared", "reason"),
    [
        ("utf-16", "utf-8", "utf-8 text (byte 0xff): give its encoding, such as encoding='utf-16'"),
        ("latin-1", "UTF-8", "UTF-8 text (byte 0xfc): give its encoding, such as encoding='latin-1'"),
        ("latin-1", "ascii", "ascii text (byte 0xfc): give its encoding, such as encoding='latin-1'"),
        ("utf-8", "ascii", "ascii text (byte 0xc3): give its encoding, such as encoding='utf-8'"),
        ("utf-8", "utf-16", "utf-16 text: give its encoding, such as encoding='utf-8'"),
    ],
)
def test_a_wrong_encoding(tmp_path: Path, ending: str, known: str, declared: str, reason: str) -> None:
    text = {".jsonl": '{"text": "Müller"}\n{"text": "Maier"}\n', ".tsv": "text\tkind\nMüller\ta\nMaier\tb\n"}
    body = text.get(ending, "text,kind\nMüller,a\nMaier,b\n").encode(known)
    path = tmp_path / f"t{ending}"
    path.write_bytes(gzip.compress(body) if ending.endswith(".gz") else body)
    with pytest.raises(BadData) as caught:
        load(path, encoding=declared)
    assert str(caught.value) == f"{path} is not {reason}"
    assert load(path, encoding=known).pool.item(0) == "Müller"


COLUMNS: dict[str, Any] = {
    "plain": pd.Series(["b", "a", None, "b"], dtype=object),
    "text": pd.Series(["b", "a", None, "b"], dtype="string"),
    "arrow": pd.Series(["b", "a", None, "b"], dtype=pd.ArrowDtype(pyarrow.string())),
    "category": pd.Series(["b", "a", None, "b"], dtype="category"),
    "whole": pd.Series([7, 3, None, 7], dtype="Int64"),
    "float": pd.Series([7.0, 3.0, np.nan, 7.0]),
    "arrow whole": pd.Series([7, 3, None, 7], dtype=pd.ArrowDtype(pyarrow.int64())),
    "boolean": pd.Series([True, False, None, True], dtype="boolean"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_frames_of_any_type(column: str) -> None:
    frame = pd.DataFrame({"size": pd.Series([1, 2, 3, 4], dtype="Int32"), "kind": COLUMNS[column]})
    data = load(frame, label="kind", test_size=0)
    assert data.labels is not None
    assert data.labels.tolist() == [1, 0, -1, 1]
    assert data.pool.item(2) == {"size": 3.0}
    again = load(frame, labels=frame["kind"], columns=["size"], test_size=0)
    assert again.digest == data.digest
    texts = load(frame, text="kind", key="size", classes=["x", "y"]).pool
    assert texts.keys([3]) == ["4"]
    assert texts.item(2) == ""


def test_numbers_of_any_type() -> None:
    whole, real = pd.Series([1, 2, 3], dtype="Int8"), pd.Series([1.5, 2.5, 3.5], dtype=pd.ArrowDtype(pyarrow.float32()))
    frame = pd.DataFrame({"a": whole, "b": real, "c": pd.Categorical([3, 1, 2]), "target": [0.5, 1.5, 2.5]})
    data = load(frame, task="regression", test_size=1)
    assert data.pool.item(0) == {"a": 1.0, "b": 1.5, "c": 3.0}
    frame.loc[1, "a"] = pd.NA
    with pytest.raises(NotFinite) as caught:
        load(frame, task="regression")
    assert str(caught.value) == "column 'a' of the frame: NaN or infinity in 1 of 3 rows, the first are 1"


def test_bad_frames() -> None:
    with pytest.raises(BadData, match=r"^the frame has two columns of one name: a, a$"):
        load(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(BadData, match=r"^column 'label' of the frame: 'dog' names 3 items, every id must name one$"):
        load(FRAME, key="label", label="id")
    with pytest.raises(UnknownName) as missing:
        load(FRAME, columns=["weight", "hieght"])
    assert str(missing.value) == (
        "unknown column of the frame 'hieght': did you mean 'height'? Known: height, id, label, weight"
    )
    with pytest.raises(BadLabel) as strange:
        load(FRAME, key="id", classes=["dog", "cow"])
    assert str(strange.value) == "label 'cat' is none of the 2 classes: Known: dog, cow"


@pytest.mark.parametrize("option", ["text", "label", "key"])
def test_a_missing_column_offers_the_nearest(tmp_path: Path, option: str) -> None:
    options: dict[str, Any] = {option: "wieght"}
    with pytest.raises(UnknownName) as caught:
        load(written(tmp_path, ".csv"), **options)
    assert str(caught.value) == (
        "unknown column of pets.csv 'wieght': did you mean 'weight'? Known: height, id, label, weight"
    )


@pytest.mark.parametrize(
    ("name", "body", "error", "message"),
    [
        ("t.csv", "", BadData, "{path} is empty"),
        ("t.csv", "text,label\n", BadData, "{path} has no rows"),
        ("t.csv", "a,a\n1,2\n", BadData, "{path} has two columns of one name: a, a"),
        ("t.csv", "a,b\n1,2\n3\n", BadData, "{path}: row 3 has 1 values for 2 columns"),
        ("t.csv", 'a,b\n1,"2\n', BadData, "{path} cannot be read: unexpected end of data"),
        ("t.csv", "label\nx\ny\n", BadData, "t.csv has no column of texts or numbers: it has label"),
        (
            "t.csv",
            "a,b,label\n1,2,x\n3,?,y\n",
            BadData,
            "column 'b' of t.csv holds '?' in row 3, which is no number: name the columns to use with columns=, "
            "ids with key=, or a text with text=",
        ),
        (
            "t.csv",
            "a,label\n1,x\n,y\nnan,y\n",
            NotFinite,
            "column 'a' of t.csv: NaN or infinity in 2 of 3 rows, the first are 1, 2",
        ),
        ("t.jsonl", '{"a": 1}\n[2]\n', BadData, "{path}: line 2 is not a JSON object: '[2]'"),
        ("t.jsonl", '{"a": 1}\n{"a"\n', BadData, "{path}: line 2 is not a JSON object: '{{\"a\"'"),
        ("t.csv.gz", "plain text", BadData, "{path} cannot be read: Not a gzipped file (b'pl')"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, body: str, error: type[Exception], message: str) -> None:
    path = tmp_path / name
    path.write_text(body)
    with pytest.raises(error) as caught:
        load(path)
    assert str(caught.value) == message.format(path=path)


def test_bad_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 no PAR1")
    with pytest.raises(BadData) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path} cannot be read as Parquet: ")


def test_ids_that_repeat(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,text\na,x\nb,y\na,z\n")
    with pytest.raises(BadData, match=r"^column 'name' of t\.csv: 'a' names 2 items, every id must name one$"):
        load(path, key="name")


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = written(tmp_path, ".parquet"), builtins.__import__

    def refuse(name: str, *args: Any) -> Any:
        if name.startswith(("pyarrow", "pandas")):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r'^this needs the package \'pyarrow\': pip install "askwell\[tables\]"$'):
        load(path)
    csv = tmp_path / "t.csv"
    csv.write_text("text,label\na,x\nb,y\n")
    assert isinstance(load(csv), Data)


def test_nested_values_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps({"a": value, "label": "xy"[i]}) for i, value in enumerate([1, [2]])))
    with pytest.raises(BadData, match=r"^column 'a' of t\.jsonl holds \[2\] in row 2, which is no number"):
        load(path)


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"x\.xls is no table: use a file that ends in \.csv, \.csv\.gz, \.tsv, "):
        read_table(tmp_path / "x.xls")
    with pytest.raises(BadShape, match=r"^a table of 1 columns has shape \(N, 1\), got \(2, 2\)$"):
        TablePool(np.eye(2), ["a"])
