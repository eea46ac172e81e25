from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import Pairs, photos, reachable, same, tensors

from askwell.core.pool import Form
from askwell.data import ArrayPool, Data, Grown, JpegPool, TablePool, TextPool, load
from askwell.data.sets import known
from askwell.errors import BadData, BadShape, InputError, NotFinite, UnknownName

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) % 2


def saved(path: Path, *, plainly: bool = False, **arrays: Any) -> Path:
    (np.savez if plainly else np.savez_compressed)(path, **arrays)
    return path


def test_digits() -> None:
    data = load("digits")
    assert (data.name, data.source, len(data)) == ("digits", "digits", 1797)
    assert data.pool.form == Form("image", (1, 8, 8))
    assert data.classes == tuple("0123456789")
    assert data.labels is not None
    assert data.labels[:3].tolist() == [0, 1, 2]
    assert (len(data.split.candidates), len(data.split.test)) == (1438, 359)
    assert float(tensors(data.pool, size=500).max()) == 1.0


def test_arrays() -> None:
    data = load(X, labels=Y, classes=["even", "odd"], key=[f"r{place}" for place in range(20)], test_size=4)
    assert data.labels is not None
    assert data.labels.tolist() == Y.tolist()
    assert data.pool.keys([3]) == ["r3"]
    assert (data.source, len(data.split.test)) == ("", 4)
    assert "labels" not in repr(data)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (torch.from_numpy(X), ArrayPool),
        (["a", "b"], TextPool),
        (("a", "b"), TextPool),
        (np.array(["a", "b"]), TextPool),
        (np.array(["a", "b"], object), TextPool),
    ],
)
def test_other_sources_in_memory(source: Any, kind: type) -> None:
    data = load(source, classes=["x", "y"])
    assert isinstance(data.pool, kind)
    assert data.labels is None
    assert len(data.split.candidates) == len(source)
    assert not len(data.split.test)


def test_a_pool_is_taken_as_it_is() -> None:
    pool = Grown(ArrayPool(X), [np.zeros(2)])
    data = load(pool, labels=[*Y, -1])
    assert data.pool is pool
    with pytest.raises(InputError, match=r"^features do not apply to a pool that is made: give them where it is made$"):
        load(pool, features=np.zeros((21, 1)))


def test_data_are_taken_as_they_are() -> None:
    data = load(X, labels=Y)
    assert load(data) is data
    assert load(data, classes=["0", "1"]) is data
    with pytest.raises(InputError, match=r"^these data have the classes 0, 1, not a, b$"):
        load(data, classes=["a", "b"])
    with pytest.raises(InputError, match=r"^these data are loaded already: give 'pool_size' where they are loaded$"):
        load(data, pool_size=3)
    assert load(load(X), classes=["a", "b"]).classes == ("a", "b")


@pytest.mark.parametrize("plainly", [True, False])
def test_npz(tmp_path: Path, plainly: bool) -> None:
    path = saved(
        tmp_path / "rows.npz",
        plainly=plainly,
        x=X,
        y=Y,
        class_names=np.array(["even", "odd"]),
        id=Y * 0 + np.arange(20),
    )
    data = load(path, key="id")
    assert (data.name, data.classes, data.pool.keys([7])) == ("rows", ("even", "odd"), ["7"])
    assert isinstance(data.pool.array, np.memmap) == plainly  # type: ignore[attr-defined]
    np.testing.assert_array_equal(tensors(data.pool), X)
    assert data.labels is not None
    assert data.labels.tolist() == Y.tolist()


def test_a_stored_array_in_column_order(tmp_path: Path) -> None:
    path = saved(tmp_path / "rows.npz", plainly=True, y=Y, x=np.asfortranarray(X))
    np.testing.assert_array_equal(tensors(load(path).pool), X)


def test_npz_with_parts(tmp_path: Path) -> None:
    path = saved(tmp_path / "p.npz", x_train=X, y_train=Y, x_val=X[:6], y_val=Y[:6], x_test=X[:4], y_test=Y[:4])
    data = load(path, validation_size=2)
    assert len(data) == 30
    assert data.split.candidates.tolist() == list(range(20))
    assert len(data.split.validation) == 2
    assert data.split.test.tolist() == list(range(26, 30))
    np.testing.assert_array_equal(tensors(data.pool, [26, 27, 28, 29]), X[:4])


@pytest.mark.parametrize("names", [("X", "y"), ("data", "target"), ("images", "labels")])
def test_npz_of_other_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    data = load(saved(tmp_path / "p.npz", **dict(zip(names, (X, Y), strict=True))))
    assert data.labels is not None


def test_npy_with_labels_and_features_in_files(tmp_path: Path) -> None:
    for name, array in (("x", X), ("y", Y), ("f", X[:, :1])):
        np.save(tmp_path / f"{name}.npy", array)
    data = load(tmp_path / "x.npy", labels=tmp_path / "y.npy", features=str(tmp_path / "f.npy"), pool_size=8)
    np.testing.assert_array_equal(data.pool.features(), X[:, :1])  # type: ignore[arg-type]
    assert isinstance(data.pool.array, np.memmap)  # type: ignore[attr-defined]
    again = load(data.source, **json.loads(json.dumps(dict(data.options))))
    assert again.split.candidates.tolist() == data.split.candidates.tolist()
    np.testing.assert_array_equal(again.labels, data.labels)


def test_what_was_given_in_memory_has_no_source(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    data = load(tmp_path / "x.npy", labels=Y, seed=3)
    assert (data.source, dict(data.options)) == ("", {"seed": 3})


def test_a_folder_of_classes(tmp_path: Path) -> None:
    photos(tmp_path, *(f"{kind}/{place}.png" for kind in ("dog", "cat") for place in range(5)), "loose.png")
    data = load(str(tmp_path), test_size=2)
    assert data.classes == ("cat", "dog")
    assert data.labels is not None
    assert data.labels.tolist() == [0] * 5 + [1] * 5 + [-1]
    assert load(tmp_path, classes=["dog", "cat"]).labels.tolist() == [1] * 5 + [0] * 5 + [-1]  # type: ignore[union-attr]
    assert load(data.source, **data.options).pool.digest == data.pool.digest


def test_folders_that_are_no_classes(tmp_path: Path) -> None:
    photos(tmp_path, "2023/0.png", "2024/1.png")
    data = load(tmp_path, classes=["cat", "dog"])
    assert (data.labels, data.classes) == (None, ("cat", "dog"))


def test_a_folder_with_parts(tmp_path: Path) -> None:
    photos(tmp_path, *(f"{part}/{kind}/{p}.png" for part in ("test", "train") for kind in "ab" for p in range(2)))
    data = load(tmp_path)
    assert data.classes == ("a", "b")
    assert data.pool.keys(data.split.test) == ["test/a/0.png", "test/a/1.png", "test/b/0.png", "test/b/1.png"]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("no/such/folder", BadData, "there is no file or folder no/such/folder"),
        ("gone.npz", BadData, "there is no file or folder gone.npz"),
        (Path("gone"), BadData, "there is no file or folder gone"),
        (
            7, BadData,
            "cannot read data from a int: give a name, a path, an array, texts, a DataFrame or a map-style Dataset",
        ),
        (np.array([{}]), BadData, "item 0 is a dict: give numbers in an array, or texts"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), NotFinite, "items: NaN or infinity in 1 of 2 rows, the first are 0"),
    ],
)  # fmt: skip
def test_bad_sources(source: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        load(source)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": Y[:19]}, BadShape, "there are 19 labels for 20 items"),
        ({"labels": Y * 0}, BadData, "all labels are '0': at least two classes are needed (-1 means unknown)"),
        ({"text": "body"}, InputError, "option 'text' does not apply to a ndarray, which takes key, length"),
        ({"labels": Y, "features": X[:4]}, BadShape, "features must be numbers of shape (20, D), got float64 (4, 2)"),
        ({"labels": Y, "test_size": 9.5}, InputError, "test_size must be a count or a share below 1, got 9.5"),
        ({"key": ["a"] * 20}, BadData, "ids: 'a' names 20 items, every id must name one"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        load(X, **options)
    assert str(caught.value) == message


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("no arrays")


def _pickle(path: Path) -> None:
    np.savez(path, x=np.array([{}], object)) if path.suffix == ".npz" else np.save(path, np.array([{}], object))


def _packed_pickle(path: Path) -> None:
    np.savez_compressed(path, x=np.array([{}], object))


def _strange(path: Path) -> None:
    np.savez(path, a=X, b=Y)


def _mixed(path: Path) -> None:
    np.savez(path, x_train=X, x_test=X[:, :1])


def test_features_that_are_no_array_are_named_by_their_ending(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("1,2\n")
    with pytest.raises(BadData) as caught:
        load(np.eye(3), features=tmp_path / "z.csv")
    assert str(caught.value) == f"{tmp_path / 'z.csv'} cannot be read as .npy: its name does not end so"


NO_PICKLE = "it holds Python objects (a pickle), which are never read; save plain arrays"


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (_empty, "x.npz", "{path} cannot be read as .npz: it is empty"),
        (_text, "x.npz", "{path} cannot be read as .npz: File is not a zip file"),
        (_pickle, "x.npz", "{path}: array 'x' cannot be read: " + NO_PICKLE),
        (_packed_pickle, "x.npz", "{path}: array 'x' cannot be read: " + NO_PICKLE),
        (_pickle, "x.npy", "{path} cannot be read as .npy: " + NO_PICKLE),
        (_empty, "x.npy", "{path} cannot be read as .npy: it is empty"),
        (
            _strange, "x.npz",
            "{path} has the arrays a, b: name the items x and the labels y, or x_train, y_train, x_test, y_test",
        ),
        (_mixed, "x.npz", "{path}: train and test items differ in shape: (20, 2), (20, 1)"),
        (
            _text, "x.xml",
            "{path} cannot be read: use a folder of pictures or a file .npz, .npy, .csv, .csv.gz, .tsv, .tsv.gz, "
            ".jsonl, .jsonl.gz, .parquet, .arrow, .feather",
        ),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, make: Any, name: str, message: str) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(BadData) as caught:
        load(path)
    assert str(caught.value) == message.format(path=path)


def test_a_truncated_archive(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", x=X, y=Y)
    body = bytearray(path.read_bytes())
    body[60:90] = bytes(30)
    path.write_bytes(bytes(body))
    with pytest.raises(BadData, match=r"array 'x' cannot be read: "):
        load(path)


def test_a_missing_array_of_ids(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"x\.npz has no array 'name': it has x, y$"):
        load(saved(tmp_path / "x.npz", x=X, y=Y), key="name")


def test_an_unknown_set_offers_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        load("fashion_mnits")
    assert str(caught.value).startswith(
        "unknown data set 'fashion_mnits': did you mean 'fashion_mnist'? Known: ag_news"
    )
    assert "digits" in caught.value.known


def test_sets_need_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadData) as caught:
        load("mnist")
    assert str(caught.value) == (
        "data set 'mnist' is read from the folder that ASKWELL_DATA names, and it is not set: "
        "export ASKWELL_DATA=/path/to/data"
    )
    monkeypatch.setenv("ASKWELL_DATA", str(tmp_path / "gone"))
    with pytest.raises(BadData, match=rf"^ASKWELL_DATA names {tmp_path}/gone, and there is no such folder$"):
        load("mnist")
    monkeypatch.setenv("ASKWELL_DATA", str(tmp_path))
    with pytest.raises(BadData, match=rf"^there is no file {tmp_path}/mnist/mnist\.npz: is ASKWELL_DATA right\?$"):
        load("mnist")


def sources(tmp_path: Path) -> Iterator[tuple[Data, np.ndarray]]:
    """Data of every kind with the labels that must not be found, as they were given."""
    truth = np.arange(12) % 3 * 2 + 7
    names = np.array(["ant", "bee", "cow"])[np.arange(12) % 3]
    whole = np.column_stack([np.random.default_rng(0).normal(size=(12, 3)), truth])
    yield load(whole[:, :-1], labels=whole[:, -1]), truth
    yield load(Pairs(np.random.default_rng(1).normal(size=(12, 3)), truth)), truth
    yield load(["a", "b", "c"] * 4, labels=names), names
    for plainly in (True, False):
        yield load(saved(tmp_path / "x.npz", plainly=plainly, x=np.eye(12), y=truth)), truth
    table = tmp_path / "t.csv"
    table.write_text("text,size,label\n" + "".join(f"word {n},{n * n},{name}\n" for n, name in enumerate(names)))
    yield load(table), names
    yield load(table, columns=["size"], key="text"), names
    photos(tmp_path / "photos", *(f"{place}.png" for place in range(12)))
    yield load(tmp_path / "photos", labels=names), names


def test_no_label_can_be_reached_from_a_pool(tmp_path: Path) -> None:
    for data, given in sources(tmp_path):
        assert data.labels is not None
        data.pool.features(), data.pool.digest
        roots = [Grown(data.pool, []), data.pool.items("train"), data.pool.items("eval"), data.pool.item(0)]
        for root in roots:
            for one in reachable(root):
                assert one is not data.labels
                assert not same(one, given), f"{data.name}: {type(one)}"
                assert not same(one, data.labels), f"{data.name}: {type(one)}"


def test_the_search_for_labels_finds_them() -> None:
    truth = np.arange(12) % 3
    leaky = ArrayPool(np.eye(12))
    leaky.array = np.column_stack([np.eye(12), truth])[:, :-1]
    assert any(same(one, truth) for one in reachable(leaky))


def _zipped_defects() -> bytes:
    from data_files import encoded

    file = io.BytesIO()
    names = {"train": ["pit_1", "pit_2", "rolled-in_scale_1"], "test": ["rolled-in_scale_2"]}
    with zipfile.ZipFile(file, "w") as archive:
        for part, members in names.items():
            archive.writestr(f"ImageSets/Main/{part}.txt", "\n".join(members) + "\n")
            for name in members:
                archive.writestr(f"JPEGImages/{name}.jpg", encoded(40, "jpeg"))
    return file.getvalue()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets with tiny files in the formats of the real ones."""
    from data_files import encoded

    root = tmp_path / "shelf"
    for name in (
        "cifar10_jpeg",
        "ecg_mitbih",
        "har_wisdm",
        "neu_det_450",
        "fashion_mnist",
        "sst2",
        "amazon_multidomain",
    ):
        (root / name).mkdir(parents=True)
    body = np.frombuffer(encoded((5, 6, 7), "jpeg"), np.uint8)
    classes = np.array(["plane", "car"])
    for part, count in (("train", 4), ("test", 2)):
        saved(
            root / f"cifar10_jpeg/cifar10_{part}.npz", jpeg=np.tile(body, count),
            offsets=(np.arange(count + 1) * len(body)).astype(np.uint32),
            labels=(np.arange(count) % 2).astype(np.uint8), class_names=classes,
        )  # fmt: skip
        lines = "".join(f"text {n},{n % 2}\n" for n in range(count))
        (root / f"sst2/sentences_{part}.csv").write_text("text,label\n" + lines)
    (root / "sst2/sentences_dev.csv").write_text("text,label\nx,0\ny,1\n")
    for path in (root / "sst2").iterdir():
        import gzip

        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    reviews = "text,label,rating,title,split\na,0,1,t,train\nb,1,5,t,train\nc,1,5,t,test\n"
    (root / "amazon_multidomain/books.csv.gz").write_bytes(gzip.compress(reviews.encode()))
    saved(
        root / "ecg_mitbih/mitbih_beats.npz", x_train=np.full((2, 8), 1224, np.int16), y_train=np.array([0, 1]),
        record_train=np.array([101, 106]), record_test=np.array([100]),
        x_test=np.full((1, 8), 1024, np.int16), y_test=np.array([0]), class_names=np.array(["N", "S"]),
    )  # fmt: skip
    motions = "UNIQUE_ID,user,X0,XPEAK,YPEAK,ZPEAK,class\n1,5,.1,,,,Walking\n2,6,.2,3,,,Sitting\n3,7,.5,,,,Walking\n"
    (root / "har_wisdm/wisdm_v1.1_transformed.csv.gz").write_bytes(gzip.compress(motions.encode()))
    (root / "neu_det_450/neu_det_450.zip").write_bytes(_zipped_defects())
    images = np.zeros((10, 4, 4), np.uint8)
    saved(
        root / "fashion_mnist/fashion_mnist.npz",
        x_train=images,
        y_train=np.arange(10),
        x_test=images,
        y_test=np.arange(10),
    )
    monkeypatch.setenv("ASKWELL_DATA", str(root))
    return root


@pytest.mark.parametrize(
    ("name", "kind", "classes", "sizes"),
    [
        ("cifar10_jpeg", JpegPool, ("plane", "car"), (4, 0, 2)),
        ("sst2", TextPool, ("negative", "positive"), (4, 0, 2)),
        ("amazon_books", TextPool, ("negative", "positive"), (2, 0, 1)),
        ("ecg_mitbih", ArrayPool, ("N", "S"), (2, 0, 1)),
        ("har_wisdm", TablePool, ("Sitting", "Walking"), (2, 0, 1)),
        ("neu_det_450", JpegPool, ("pit", "rolled-in_scale"), (3, 0, 1)),
    ],
)
def test_sets_by_name(shelf: Path, name: str, kind: type, classes: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    data = load(name)
    assert (data.name, data.source, data.classes) == (name, name, classes)
    assert type(data.pool) is kind
    assert tuple(len(role) for role in vars(data.split).values()) == sizes
    tensors(data.pool)


def test_what_sets_say_about_themselves(shelf: Path) -> None:
    beats, motions, clothes = load("ecg_mitbih"), load("har_wisdm"), load("fashion_mnist")
    assert beats.pool.item(0)[0] == 1.0
    assert beats.groups is not None
    assert beats.groups.tolist() == [101, 106, 100]
    assert load("ecg_mitbih_fields", size=4).pool.form.shape == (1, 4, 4)
    assert motions.groups is not None
    assert motions.groups.tolist() == [5, 6, 7]
    assert motions.pool.item(1) == {"X0": 0.2}
    assert motions.pool.keys(motions.split.test) == ["0"]
    assert clothes.classes[0] == "T-shirt/top"
    assert load("neu_det_450").pool.keys([2]) == ["rolled-in_scale_1.jpg"]
    assert load("cifar10_jpeg", size=2).pool.form.shape == (3, 2, 2)
    assert len(load("sst2", validation_size=2).split.validation) == 2


def test_a_set_takes_only_its_own_options(shelf: Path) -> None:
    with pytest.raises(InputError, match=r"^option 'label' does not apply to data set 'sst2', which takes length$"):
        load("sst2", label="label")


def test_names_of_sets() -> None:
    assert {"digits", "fashion_mnist", "mnist", "cifar10_jpeg", "trec6", "mr", "subj", "sst2"} <= set(known())


def test_a_pair_of_arrays_is_told_how_labels_are_given():
    with pytest.raises(InputError, match="give the labels by their name, labels=y"):
        load((np.zeros((4, 2)), np.zeros(4)))


def test_a_file_without_items_says_so(tmp_path):
    np.savez(tmp_path / "empty.npz", x=np.zeros((0, 4), np.float32), y=np.zeros(0, np.int64))
    with pytest.raises(BadData, match=r"empty\.npz holds no items"):
        load(tmp_path / "empty.npz")


def test_features_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        load(np.eye(3), features=tmp_path / "vit")
    assert str(caught.value) == f"{tmp_path / 'vit'} cannot be read as .npy: there is no such file or folder"
