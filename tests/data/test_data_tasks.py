from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from data_files import Pairs, photos
from numpy.typing import NDArray

from askwell.data import Data, load
from askwell.data.label_numbers import encode_numbers
from askwell.data.label_sets import encode_sets
from askwell.errors import BadData, BadLabel, BadShape, InputError, NotFinite, UnknownName

N = 12
ROWS = np.arange(2.0 * N).reshape(N, 2)
TEXTS = [f"text number {place}" for place in range(N)]
CLASSES = ("rain", "sun")
TASKS = ("classification", "multi_label", "regression")
UNKNOWN = 3

NAMES: list[str | None] = [CLASSES[place % 2] for place in range(N)]
SETS: list[list[str] | None] = [[], ["rain"], ["sun"], None, *[["rain", "sun"]] * (N - 4)]
NUMBERS: list[float | None] = [place - 0.5 for place in range(N)]
NAMES[UNKNOWN] = NUMBERS[UNKNOWN] = None

AS_GIVEN: dict[str, list[Any]] = {"classification": NAMES, "multi_label": SETS, "regression": NUMBERS}
AS_CELLS: dict[str, list[str]] = {
    "classification": [name or "" for name in NAMES],
    "multi_label": ["" if found is None else "|".join(found) or "[]" for found in SETS],
    "regression": ["" if number is None else str(number) for number in NUMBERS],
}
CODES: dict[str, NDArray[Any]] = {
    "classification": np.array([0, 1, 0, -1, 0, 1, 0, 1, 0, 1, 0, 1], np.int64),
    "multi_label": np.array([[0, 0], [1, 0], [0, 1], [-1, -1], *[[1, 1]] * (N - 4)], np.int8),
    "regression": np.array([np.nan if number is None else number for number in NUMBERS]),
}
AS_ARRAYS: dict[str, NDArray[Any]] = {
    "classification": np.array([name or "" for name in NAMES]),
    "multi_label": CODES["multi_label"],
    "regression": CODES["regression"],
}

Door = Callable[[Path, str], Data]


def table(folder: Path, name: str, columns: dict[str, list[Any]]) -> Path:
    path = folder / name
    if path.suffix == ".csv" or path.suffix == ".tsv":
        with path.open("w", newline="") as file:
            writer = csv.writer(file, delimiter="," if path.suffix == ".csv" else "\t")
            writer.writerows([columns, *zip(*columns.values(), strict=True)])
    elif path.suffix == ".jsonl":
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        frame = pd.DataFrame(columns)
        frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_feather(path)
    return path


def sizes(task: str) -> dict[str, Any]:
    classes = CLASSES if task != "regression" else None
    return {"task": task, "classes": classes, "test_size": 4, "validation_size": 2}


def arrays(folder: Path, task: str) -> Data:
    return load(ROWS, labels=AS_GIVEN[task], **sizes(task))


def tensors(folder: Path, task: str) -> Data:
    codes = CODES[task] if task != "classification" else [["rain", "sun", -1][code] for code in CODES[task]]
    return load(torch.from_numpy(ROWS), labels=codes, **sizes(task))


def npz(folder: Path, task: str) -> Data:
    np.savez(folder / "x.npz", x=ROWS, y=AS_ARRAYS[task])
    return load(folder / "x.npz", **sizes(task))


def npy(folder: Path, task: str) -> Data:
    np.save(folder / "x.npy", ROWS)
    np.save(folder / "y.npy", AS_ARRAYS[task])
    return load(folder / "x.npy", labels=folder / "y.npy", **sizes(task))


def text_table(name: str) -> Door:
    def door(folder: Path, task: str) -> Data:
        cells = AS_CELLS[task] if name.endswith(("csv", "tsv")) else AS_GIVEN[task]
        return load(table(folder, name, {"body": TEXTS, "label": cells}), text="body", **sizes(task))

    return door


def frame(folder: Path, task: str) -> Data:
    return load(pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "target": AS_GIVEN[task]}), **sizes(task))


def texts(folder: Path, task: str) -> Data:
    return load(TEXTS, labels=AS_CELLS[task], **sizes(task))


def pictures(folder: Path, task: str) -> Data:
    photos(folder / "photos", *(f"{place:02}.png" for place in range(N)))
    keys = [f"{place:02}.png" for place in range(N) if place != UNKNOWN]
    cells = [cell for place, cell in enumerate(AS_CELLS[task]) if place != UNKNOWN]
    path = table(folder, "truth.csv", {"file": keys[::-1], "kind": cells[::-1]})
    return load(folder / "photos", labels=path, **sizes(task))


def dataset(folder: Path, task: str) -> Data:
    return load(Pairs(ROWS, AS_GIVEN[task]), **sizes(task))


def pool(folder: Path, task: str) -> Data:
    return load(load(ROWS).pool, labels=AS_GIVEN[task], **sizes(task))


def hub(folder: Path, task: str) -> Data:
    datasets = pytest.importorskip("datasets")
    return load(datasets.Dataset.from_dict({"text": TEXTS, "label": AS_GIVEN[task]}), **sizes(task))


DOORS: dict[str, Door] = {
    "arrays": arrays,
    "tensors": tensors,
    "npz": npz,
    "npy": npy,
    **{name: text_table(name) for name in ("t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.feather")},
    "frame": frame,
    "texts": texts,
    "pictures": pictures,
    "dataset": dataset,
    "pool": pool,
    "hub": hub,
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_takes_every_task(tmp_path: Path, door: str, task: str) -> None:
    data = DOORS[door](tmp_path, task)
    assert (data.task, data.options["task"]) == (task, task)
    assert data.classes == (CLASSES if task != "regression" else ())
    assert data.labels is not None
    np.testing.assert_array_equal(data.labels, CODES[task])
    assert data.labels.dtype == CODES[task].dtype
    assert not data.known[UNKNOWN]
    assert data.known.sum() == N - 1
    held = [*data.split.test, *data.split.validation]
    assert len(held) == 6
    assert UNKNOWN not in held
    if data.source:
        assert load(data.source, **json.loads(json.dumps(dict(data.options)))).digest == data.digest


@pytest.mark.parametrize(("task", "classes"), [("classification", 10), ("multi_label", 10), ("regression", 0)])
def test_a_set_by_name(task: Any, classes: int) -> None:
    data = load("digits", task=task)
    assert len(data.classes) == classes
    assert data.labels is not None
    row = data.labels[7]
    assert (row.argmax() if task == "multi_label" else row) == 7
    assert load(data.source, **data.options).digest == data.digest


def test_the_digest_follows_the_task() -> None:
    digests = {load(ROWS, classes=c, task=t).digest for c, t in ((CLASSES, "multi_label"), (CLASSES, "classification"))}
    assert len(digests) == 2
    assert load(ROWS, task="classification", classes=CLASSES).digest == load(ROWS, classes=CLASSES).digest


def test_only_classes_are_strata() -> None:
    many = np.repeat([0, 1], [90, 10])
    rows = np.zeros((100, 1))
    for seed in range(20):
        assert many[load(rows, labels=many, test_size=10, seed=seed).split.test].sum() == 1
    drawn = [many[load(rows, labels=many, task="regression", test_size=10, seed=s).split.test].sum() for s in range(20)]
    assert len(set(drawn)) > 1
    one, other = (load(rows, labels=y, task="regression", test_size=10).split.test for y in (many, many * 5.5))
    assert one.tolist() == other.tolist()


def test_parts_count_by_their_labelled_items(tmp_path: Path) -> None:
    y = np.arange(20) % 2
    np.savez(tmp_path / "x.npz", x_train=ROWS, y_train=y[:N], x_test=ROWS, y_test=np.where(np.arange(N) < 5, y[:N], -1))
    data = load(tmp_path / "x.npz")
    assert data.split.test.tolist() == [12, 13, 14, 15, 16]
    assert data.split.candidates.tolist() == list(range(N))
    np.savez(tmp_path / "u.npz", x_train=ROWS, y_train=y[:N], x_test=ROWS, y_test=np.full(N, -1))
    data = load(tmp_path / "u.npz")
    assert len(data.split.test) == 2
    assert data.split.test.max() < N


@pytest.mark.parametrize(
    ("labels", "classes", "codes", "names"),
    [
        (["a|b", "b", "", None, "[]", "c ; a"], None, ["110", "010", "?", "?", "000", "101"], ("a", "b", "c")),
        (['["b", "a"]', "[]", np.nan], None, ["11", "00", "?"], ("a", "b")),
        ([["b"], ("a",), {"a"}, -1], ["b", "a"], ["10", "01", "01", "?"], ("b", "a")),
        ([[0, 1], [1, 1], None], None, ["01", "11", "?"], ("0", "1")),
        ([[2], [0, 1]], ["a", "b", "c"], ["001", "110"], ("a", "b", "c")),
        (np.array([[0, 1], [np.nan, np.nan], [1, 1]]), ["x", "y"], ["01", "?", "11"], ("x", "y")),
        (np.array([[True, False], [False, False]]), None, ["10", "00"], ("0", "1")),
        ([np.array([1.0, 0.0]), torch.tensor([-1.0, -1.0])], None, ["10", "?"], ("0", "1")),
        (["rain; wind", "sun"], ["rain; wind", "sun"], ["10", "01"], ("rain; wind", "sun")),
        ([3, 1, -1], None, ["01", "10", "?"], ("1", "3")),
        (pd.Series(["a|b", pd.NA], dtype="string"), None, ["11", "?"], ("a", "b")),
        (np.array([["a"], ["b"]], object)[:, 0], None, ["10", "01"], ("a", "b")),
    ],
)
def test_several_labels_as_people_write_them(
    labels: Any, classes: Any, codes: list[str], names: tuple[str, ...]
) -> None:
    found, known = encode_sets(labels, classes)
    assert known == names
    assert ["".join(map(str, row)) if row[0] >= 0 else "?" for row in found.tolist()] == codes
    assert (found[[row == "?" for row in codes]] == -1).all()


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        (
            ["a|rian"], ["a", "rain"], BadLabel,
            "label 'rian' is none of the 2 classes: did you mean 'rain'? Known: a, rain",
        ),
        (np.array([[0, 2]]), None, BadLabel, "the labels of item 0 are [0, 2]: a row holds 0 and 1, or -1 throughout"),
        (
            np.array([[0, 1], [1, np.nan]]), None, BadLabel,
            "the labels of item 1 are [1.0, nan]: a row holds 0 and 1, or -1 throughout",
        ),
        (np.eye(3), ["a", "b"], BadShape, "labels have shape (3, 3), and there are 2 classes"),
        (np.zeros((3, 1)), None, BadData, "classes must be two or more different names, got 0"),
        (["a", "a"], None, BadData, "classes must be two or more different names, got a"),
        ([["a", "b", "a"]], None, BadLabel, "the labels of item 0 name 'a' twice"),
        ([["a", 0.5]], None, BadLabel, "label 0.5 of item 0 is neither a name nor a whole number"),
        (["[a, b]"], None, BadLabel, "label '[a, b]' is not a JSON list: write it as [\"a\", \"b\"] or a|b"),
        ([["a", None]], None, BadLabel, "label None of item 0 is neither a name nor a whole number"),
    ],
)  # fmt: skip
def test_several_labels_that_do_not_fit(labels: Any, classes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        encode_sets(labels, classes)
    assert str(caught.value) == message


def test_numbers_as_people_write_them() -> None:
    found = encode_numbers(["1e3", "", None, np.nan, -1, np.float32(0.5), [2], pd.NA, torch.tensor([3.0])])
    np.testing.assert_array_equal(found, [1000, np.nan, np.nan, np.nan, -1, 0.5, 2, np.nan, 3])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (
            ["1", "cat"], BadLabel,
            "label 'cat' of item 1 is no number, as task='regression' needs it: classes are for task='classification', "
            "lists for task='multi_label'",
        ),
        (
            [[1, 2]], BadLabel,
            "label [1, 2] of item 0 is no number, as task='regression' needs it: classes are for "
            "task='classification', lists for task='multi_label'",
        ),
        ([1.0, np.inf], NotFinite, "label inf of item 1 is not finite"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_fit(labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        encode_numbers(labels)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"labels": [0.5] * N}, BadLabel,
            "label 0.5 is neither a name nor a whole number: for numbers give task='regression'",
        ),
        (
            {"labels": ["0.5"] * N}, BadLabel,
            "label '0.5' is a number with a fraction: give task='regression', or task='classification' where it is "
            "the name of a class",
        ),
        (
            {"labels": SETS}, BadLabel,
            "label [] of item 0 is a list: for several labels per item give task='multi_label'",
        ),
        (
            {"labels": ['["a"]'] * N}, BadLabel,
            "label '[\"a\"]' is a list: for several labels per item give task='multi_label'",
        ),
        (
            {"labels": np.zeros((N, 3))}, BadShape,
            "labels have shape (12, 3): for several labels per item give task='multi_label'",
        ),
        (
            {"task": "regresion"}, UnknownName,
            "unknown task 'regresion': did you mean 'regression'? Known: classification, multi_label, regression",
        ),
        ({"task": "regression", "classes": ["a", "b"]}, InputError, "regression has no classes, got a, b"),
        ({"task": "multi_label", "labels": SETS[:3]}, BadShape, "there are 3 labels for 12 items"),
    ],
)  # fmt: skip
def test_the_task_to_give_is_said(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        load(ROWS, **options)
    assert str(caught.value) == message


def test_fractions_may_be_names_of_classes() -> None:
    labels = ["0.5", "1.5"] * (N // 2)
    assert load(ROWS, labels=labels, task="classification").classes == ("0.5", "1.5")
    assert load(ROWS, labels=labels, classes=["1.5", "0.5"]).classes == ("1.5", "0.5")


def test_loaded_data_keep_their_task() -> None:
    data = load(ROWS, labels=NUMBERS, task="regression")
    assert load(data) is load(data, task="regression", classes=[]) is data
    with pytest.raises(InputError, match=r"^these data are for regression: give 'task' where they are loaded$"):
        load(data, task="multi_label")


def test_names_of_folders_are_labels_of_a_classification_alone(tmp_path: Path) -> None:
    photos(tmp_path, *(f"{kind}/{place}.png" for kind in ("dog", "cat") for place in range(3)))
    assert load(tmp_path).labels is not None
    assert load(tmp_path, task="regression").labels is None
    assert load(tmp_path, task="multi_label", classes=CLASSES).labels is None


def test_columns_of_labels(tmp_path: Path) -> None:
    columns = {"text": TEXTS, "rain": [0, 1, 0, "", *[1] * 8], "sun": ["false", "true", 1.0, "", *["True"] * 8]}
    path = table(tmp_path, "t.csv", columns)
    data = load(path, label=["rain", "sun"], task="multi_label", test_size=2)
    assert data.classes == ("rain", "sun")
    assert data.labels is not None
    assert data.labels[:4].tolist() == [[0, 0], [1, 1], [0, 1], [-1, -1]]
    assert data.options["label"] == ["rain", "sun"]
    with pytest.raises(BadShape, match=r"^labels have shape \(12, 2\): for several labels per item give task='multi_"):
        load(path, label=["rain", "sun"])
    with pytest.raises(BadData) as caught:
        load(path, label=["rain", "text"], text="sun", task="multi_label")
    assert str(caught.value) == (
        "column 'text' of t.csv holds 'text number 0' in row 2, which is no number: a column of labels holds 0 and 1"
    )
    numbers = load(pd.DataFrame({"x": range(N), "a": [0, 1] * 6, "b": 1}), label=["b", "a"], task="multi_label")
    assert numbers.classes == ("b", "a")
    assert numbers.pool.item(1) == {"x": 1.0}


def test_labels_in_a_frame() -> None:
    labels = pd.DataFrame({"rain": [0, 1] * 6, "sun": 1})
    data = load(ROWS, labels=labels, task="multi_label")
    assert data.classes == ("rain", "sun")
    assert load(ROWS, labels=labels[["rain"]]).classes == ("0", "1")


def test_a_table_of_labels_by_row_number(tmp_path: Path) -> None:
    path = table(tmp_path, "y.csv", {"row": [11, 0, 5], "note": ["", "", ""], "kind": ["a", "b", "a"]})
    data = load(ROWS, labels=path, label="kind", test_size=0)
    assert data.labels is not None
    assert data.labels.tolist() == [1, *[-1] * 4, 0, *[-1] * 5, 0]
    flags = table(tmp_path, "z.tsv", {"id": [1, 0], "a": [1, 0], "b": [1, 1]})
    data = load(ROWS, labels=str(flags), label=["a", "b"], task="multi_label", test_size=0)
    assert data.labels is not None
    assert data.labels[:3].tolist() == [[0, 1], [1, 1], [-1, -1]]


def test_a_table_of_labels_beside_a_table(tmp_path: Path) -> None:
    items = table(tmp_path, "x.csv", {"name": list("abcdefghijkl"), "size": list(range(N))})
    labels = table(tmp_path, "y.jsonl", {"name": ["l", "a"], "age": [1.5, 2.5], "label": [7, 8]})
    data = load(items, labels=labels, key="name", label="age", task="regression", test_size=0)
    assert data.labels is not None
    np.testing.assert_array_equal(data.labels, [2.5, *[np.nan] * 10, 1.5])
    assert data.pool.item(3) == {"size": 3.0}
    again = load(data.source, **json.loads(json.dumps(dict(data.options))))
    assert again.digest == data.digest


@pytest.mark.parametrize(
    ("columns", "options", "error", "message"),
    [
        (
            {"file": ["a.png", "aa.png"], "kind": ["a", "b"]}, {}, UnknownName,
            "unknown item in column 'file' of y.csv 'aa.png': did you mean 'a.png'? Known: a.png, b.png",
        ),
        (
            {"file": ["a.png", "a.png"], "kind": ["a", "b"]}, {}, BadData,
            "column 'file' of y.csv: 'a.png' names 2 items, every id must name one",
        ),
        (
            {"file": ["a.png"], "kind": ["a"], "size": [1]}, {}, BadData,
            "y.csv has the columns file, kind, size: name the one of the labels with label=",
        ),
        (
            {"file": ["a.png"], "kind": ["a"]}, {"label": "knid"}, UnknownName,
            "unknown column of y.csv 'knid': did you mean 'kind'? Known: file, kind",
        ),
        (
            {"file": ["a.png"], "kind": ["a"]}, {"key": "fiel"}, UnknownName,
            "unknown column of y.csv 'fiel': did you mean 'file'? Known: file, kind",
        ),
        (
            {"file": ["a.png"], "kind": ["cta"]}, {"classes": ["cat", "dog"]}, BadLabel,
            "label 'cta' is none of the 2 classes: did you mean 'cat'? Known: cat, dog",
        ),
    ],
)  # fmt: skip
def test_bad_tables_of_labels(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    photos(tmp_path / "p", "a.png", "b.png")
    with pytest.raises(error) as caught:
        load(tmp_path / "p", labels=table(tmp_path, "y.csv", columns), **options)
    assert str(caught.value) == message


def test_a_table_of_labels_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        load(ROWS, labels=tmp_path / "y.csv")
    assert str(caught.value) == f"there is no file {tmp_path / 'y.csv'}"


def test_a_table_of_labels_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_bytes("id,label\n0,für\n1,wider\n".encode("latin-1"))
    assert load(ROWS, labels=tmp_path / "y.csv", encoding="latin-1", test_size=0).classes == ("für", "wider")
