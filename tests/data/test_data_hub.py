from __future__ import annotations

import builtins
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import picture, reachable, same, tensors

from askwell.core.pool import Form, Pool
from askwell.data import ArrayPool, TablePool, TextPool, load
from askwell.data.hub import HubPictures, HubTexts
from askwell.errors import BadData, BadLabel, InputError, MissingExtra, UnknownName
from askwell.testing import parametrize_with_checks, pool

datasets = pytest.importorskip("datasets")

WORDS = ("leaf", "bark", "root", "seed")
N = 12


@pytest.fixture(autouse=True)
def quiet() -> Any:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def texts(n: int = N) -> Any:
    features = datasets.Features(
        {
            "id": datasets.Value("int64"),
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["9", "0"]),
        }
    )
    rows = {
        "id": list(range(100, 100 + n)),
        "text": [f"{WORDS[place % 4]} number {place}" for place in range(n)],
        "label": [(place // 2) % 2 for place in range(n)],
    }
    return datasets.Dataset.from_dict(rows, features=features)


def pictures(n: int = N) -> Any:
    features = datasets.Features({"photo": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    rows = {"photo": [picture((9 * place, 0, 0)) for place in range(n)], "label": [(p // 2) % 2 for p in range(n)]}
    return datasets.Dataset.from_dict(rows, features=features)


def test_texts_and_names_of_classes() -> None:
    data = load(texts(), key="id", test_size=4)
    assert (data.name, data.source, data.classes) == ("dataset", "", ("9", "0"))
    assert data.labels is not None
    assert data.labels.tolist() == [(place // 2) % 2 for place in range(N)]
    assert isinstance(data.pool, TextPool)
    assert isinstance(data.pool.texts, HubTexts)
    assert data.pool.item(3) == "seed number 3"
    assert data.pool.keys([0]) == ["100"]
    assert not any(same(found, data.labels) for found in reachable(data.pool))


def test_rows_that_were_selected_and_shuffled() -> None:
    chosen = texts().shuffle(seed=1).select(range(1, 9))
    data = load(chosen, test_size=0)
    assert [data.pool.item(place) for place in range(8)] == list(chosen["text"])
    assert isinstance(data.pool, TextPool)
    assert list(data.pool.texts) == data.pool.texts[:] == list(chosen["text"])
    assert data.labels is not None
    assert data.labels.tolist() == list(chosen["label"])


def test_unknown_class_labels() -> None:
    rows = texts().map(lambda row: {"label": -1 if row["id"] < 103 else row["label"]})
    data = load(rows, test_size=0)
    assert data.labels is not None
    assert data.labels.tolist()[:4] == [-1, -1, -1, 1]


def test_splits_are_parts() -> None:
    data = load(datasets.DatasetDict(train=texts(), validation=texts(4), test=texts(2)), validation_size=3)
    assert len(data) == N + 6
    assert data.split.candidates.tolist() == list(range(N))
    assert len(data.split.validation) == 3
    assert data.split.test.tolist() == [N + 4, N + 5]
    assert len(load(datasets.DatasetDict(everything=texts()), test_size=0).split.candidates) == N


@pytest.mark.parametrize("given", [texts, lambda: datasets.DatasetDict(train=texts(), test=texts(4))])
def test_a_folder_that_was_saved(tmp_path: Path, given: Any) -> None:
    given().save_to_disk(tmp_path / "trees")
    data = load(tmp_path / "trees", key=None, test_size=4)
    assert (data.name, data.source) == ("trees", str(tmp_path / "trees"))
    again = load(data.source, **json.loads(json.dumps(dict(data.options))))
    assert again.digest == data.digest
    assert again.split.test.tolist() == data.split.test.tolist()


def test_pictures_are_decoded_when_they_are_needed() -> None:
    data = load(pictures(), size=2, test_size=4)
    assert isinstance(data.pool, HubPictures)
    assert data.classes == ("cat", "dog")
    assert data.pool.form == Form("image", (3, 2, 2))
    assert data.pool.item(3).getpixel((0, 0)) == (27, 0, 0)
    assert tensors(data.pool, [11])[0, 0, 0, 0] == pytest.approx(99 / 255)
    assert not any(same(found, data.labels) for found in reachable(data.pool))  # type: ignore[arg-type]


def test_pictures_in_files(tmp_path: Path) -> None:
    picture((7, 0, 0)).save(tmp_path / "a.png")
    rows = datasets.Dataset.from_dict({"image": [str(tmp_path / "a.png"), str(tmp_path / "b.png"), None]})
    data = load(rows.cast_column("image", datasets.Image()), classes=["cat", "dog"])
    assert data.pool.item(0).getpixel((0, 0)) == (7, 0, 0)
    with pytest.raises(BadData) as caught:
        data.pool.item(1)
    assert str(caught.value) == f"picture '{tmp_path / 'b.png'}' cannot be read: No such file or directory"
    with pytest.raises(BadData, match=r"^picture '2' is missing$"):
        data.pool.item(2)


def test_a_corrupt_picture_is_named() -> None:
    rows = datasets.Dataset.from_dict({"image": [{"bytes": body, "path": None} for body in (good(), b"bad")]})
    data = load(rows.cast_column("image", datasets.Image()), classes=["cat", "dog"])
    with pytest.raises(BadData, match=r"^picture '1' cannot be read: it is not a picture, or of a kind that Pillow "):
        data.pool.item(1)


def good() -> bytes:
    file = io.BytesIO()
    picture(5).save(file, "png")
    return file.getvalue()


def test_numbers_and_vectors() -> None:
    rows = {"a": [1.0, 2.0, 3.0], "b": [4, 5, 6], "v": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "target": [0.5, 1.5, None]}
    given = datasets.Dataset.from_dict(rows)
    data = load(given, columns=["a", "b"], task="regression", test_size=1)
    assert isinstance(data.pool, TablePool)
    assert data.pool.item(1) == {"a": 2.0, "b": 5.0}
    np.testing.assert_array_equal(data.labels, [0.5, 1.5, np.nan])  # type: ignore[arg-type]
    vectors = load(given, columns=["v"], task="regression", test_size=1).pool
    assert isinstance(vectors, ArrayPool)
    np.testing.assert_array_equal(vectors.item(2), [5.0, 6.0])


def test_several_class_labels() -> None:
    kinds = datasets.Features(
        {"text": datasets.Value("string"), "labels": datasets.Sequence(datasets.ClassLabel(names=["rain", "sun"]))}
    )
    given = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "labels": [[0, 1], [1, 0], []]}, features=kinds)
    data = load(given, task="multi_label", test_size=0)
    assert data.classes == ("rain", "sun")
    assert data.labels is not None
    assert data.labels.tolist() == [[1, 1], [1, 1], [0, 0]]
    with pytest.raises(BadLabel) as caught:
        load(given)
    assert str(caught.value) == (
        "label ['rain', 'sun'] of item 0 is a list: for several labels per item give task='multi_label'"
    )


STREAMS = (
    "a IterableDataset only streams, and questions go back to single items: load it without streaming=True, or keep "
    "its rows with Dataset.from_list(list(dataset))"
)


@pytest.mark.parametrize(
    ("make", "options", "error", "message"),
    [
        (lambda: texts().to_iterable_dataset(), {}, BadData, STREAMS),
        (
            lambda: datasets.DatasetDict(train=texts(), unsupervised=texts()), {}, BadData,
            "the dataset has the splits train, unsupervised, and one is named 'unsupervised': take those to use as "
            "train, validation and test",
        ),
        (
            lambda: datasets.DatasetDict(validation=texts(), test=texts()), {}, BadData,
            "the dataset has the splits validation, test, and none is named 'train': take those to use as train, "
            "validation and test",
        ),
        (
            lambda: datasets.DatasetDict(train=texts(), test=texts().remove_columns("id")), {}, BadData,
            "split 'test' has the columns label, text, and 'train' has id, label, text",
        ),
        (texts, {"size": 3}, InputError, "option 'size' does not apply to a dataset without a column of pictures"),
        (
            pictures, {"length": 3}, InputError,
            "option 'length' does not apply to pictures, as column 'photo' has them",
        ),
        (
            texts, {"text": "txt"}, UnknownName,
            "unknown column of the dataset 'txt': did you mean 'text'? Known: id, label, text",
        ),
        (texts, {"encoding": "utf-8"}, InputError,
         "option 'encoding' does not apply to a Dataset, which takes text, label, key, columns, size, length"),
    ],
)  # fmt: skip
def test_datasets_that_do_not_fit(make: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        load(make(), **options)
    assert str(caught.value) == message


def test_a_damaged_folder(tmp_path: Path) -> None:
    texts().save_to_disk(tmp_path / "d")
    (tmp_path / "d" / "state.json").write_text("{}")
    with pytest.raises(BadData) as caught:
        load(tmp_path / "d")
    assert str(caught.value).startswith(f"the dataset in {tmp_path / 'd'} cannot be read: ")


def test_without_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts().save_to_disk(tmp_path / "d")
    real = builtins.__import__

    def refuse(name: str, *args: Any) -> Any:
        if name == "datasets":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r'^this needs the package \'datasets\': pip install "askwell\[hf\]"$'):
        load(tmp_path / "d")


def test_looking_at_a_source_imports_no_extra(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\nfrom askwell.data import load\n"
        "load(np.eye(4), labels=['a', 'b'] * 2)\n"
        "print([name for name in ('datasets', 'pyarrow', 'pandas', 'torch') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def _pool(kind: str) -> Pool:
    return load(texts() if kind == "texts" else pictures(), test_size=0).pool


@parametrize_with_checks({kind: kind for kind in ("texts", "pictures")}, pool.CHECKS)
def test_contract(part: str, check: Any) -> None:
    check(partial(_pool, part), [(place // 2) % 2 for place in range(N)])
