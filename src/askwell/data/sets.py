"""Data sets by name: the digits that come with scikit-learn, and those below the folder that ASKWELL_DATA names."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from askwell.core.pool import Pool
from askwell.data.arrays import ArrayPool
from askwell.data.fields import FieldPool
from askwell.data.files import Archive, read_npz
from askwell.data.jpeg import JpegPool
from askwell.data.read import Found, concatenated
from askwell.data.sources import found_in_table
from askwell.data.split import CANDIDATE, TEST, VALIDATION
from askwell.data.table import Table
from askwell.data.table_files import read_table
from askwell.errors import BadData, UnknownName

__all__ = ["SETS", "known", "read_set"]

CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
POLARITY = ("negative", "positive")
BASELINE, PER_MILLIVOLT = 1024, 200
GAPS = ("XPEAK", "YPEAK", "ZPEAK")
TEST_USERS = 5

Reader = Callable[..., Found]


def digits() -> Found:
    """The 1,797 digits of scikit-learn, 8 × 8 pixels, greys 0 to 16 scaled to [0, 1]."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16).astype(np.float32)
    return Found("digits", len(images), partial(ArrayPool, images), found.target.copy())


def arrays(root: Path, file: str, classes: tuple[str, ...] | None = None) -> Found:
    """An .npz file whose classes may have names of their own."""
    found = read_npz(_file(root, file))
    return replace(found, classes=classes or found.classes)


def beats(root: Path, file: str, pool: Callable[..., Pool] = ArrayPool) -> Found:
    """Heart beats in millivolts: 256 samples of 11-bit numbers, 200 to the millivolt about 1024; groups are records."""
    archive = Archive(_file(root, file))
    parts = {CANDIDATE: "train", TEST: "test"}
    raw = np.concatenate([archive[f"x_{part}"] for part in parts.values()])
    return Found(
        root.name,
        len(raw),
        partial(pool, (raw.astype(np.float32) - BASELINE) / PER_MILLIVOLT),
        np.concatenate([archive[f"y_{part}"] for part in parts.values()]),
        tuple(archive["class_names"].tolist()),
        concatenated(*((part, len(archive[f"y_{name}"])) for part, name in parts.items())),
        groups=np.concatenate([archive[f"record_{part}"] for part in parts.values()]),
    )


def beat_fields(root: Path, file: str, *, size: int = 32) -> Found:
    """The same beats as Gramian angular summation fields of `size` by `size` pixels."""
    return beats(root, file, partial(FieldPool, side=size))


def jpegs(root: Path, train: str, test: str, *, size: int | tuple[int, int] | None = None) -> Found:
    """Two archives of JPEG files back to back."""
    first, second = Archive(_file(root, train)), Archive(_file(root, test))
    joint = [first["offsets"].astype(np.int64), second["offsets"][1:].astype(np.int64) + len(first["jpeg"])]
    labels = first["labels"], second["labels"]
    return Found(
        root.name,
        len(labels[0]) + len(labels[1]),
        partial(JpegPool, np.concatenate([first["jpeg"], second["jpeg"]]), np.concatenate(joint), size=size),
        np.concatenate(labels),
        tuple(first["class_names"].tolist()),
        concatenated((CANDIDATE, len(labels[0])), (TEST, len(labels[1]))),
    )


def texts(
    root: Path,
    label: str = "label",
    classes: tuple[str, ...] | None = None,
    train: str = "train",
    valid: str | None = None,
    test: str = "test",
    *,
    length: int = 64,
) -> Found:
    """Tables of texts, one file per part, laid one behind the other."""
    names = {CANDIDATE: train, VALIDATION: valid, TEST: test}
    tables = {part: read_table(_file(root, f"{name}.csv.gz")) for part, name in names.items() if name}
    both = {name: [value for table in tables.values() for value in table.column(name)] for name in ("text", label)}
    joint = Table(root.name, list(both), len(both[label]), both.__getitem__)
    parts = concatenated(*((part, table.count) for part, table in tables.items()))
    return replace(found_in_table(joint, root.name, "text", label, length=length), classes=classes, parts=parts)


def reviews(root: Path, domain: str, *, length: int = 64) -> Found:
    """One table of reviews with its own column of parts."""
    table = read_table(_file(root, f"{domain}.csv.gz"))
    parts = np.array([TEST if part == "test" else CANDIDATE for part in table.column("split")], np.int8)
    found = found_in_table(table, f"{root.name}-{domain}", "text", "label", length=length)
    return replace(found, classes=POLARITY, parts=parts)


def motions(root: Path, file: str) -> Found:
    """Windows of a phone's accelerometer; every fifth user is for the test. Columns with gaps are left out."""
    table = read_table(_file(root, file))
    used = [name for name in table.columns if name not in ("UNIQUE_ID", "user", "class", *GAPS)]
    users = np.array([int(user) for user in table.column("user")])
    parts = np.where(users % TEST_USERS == 0, TEST, CANDIDATE).astype(np.int8)
    return replace(found_in_table(table, root.name, label="class", columns=used), parts=parts, groups=users)


def defects(root: Path, file: str, *, size: int | tuple[int, int] | None = None) -> Found:
    """Photographs of steel in a .zip; the class is the file's name up to the number, the parts are lists of names."""
    with zipfile.ZipFile(_file(root, file)) as archive:
        lists = {part: archive.read(f"ImageSets/Main/{name}.txt").decode().split() for part, name in
                 ((CANDIDATE, "train"), (TEST, "test"))}  # fmt: skip
        names = [name for part in lists.values() for name in part]
        bodies = [archive.read(f"JPEGImages/{name}.jpg") for name in names]
    offsets = np.cumsum([0, *map(len, bodies)])
    keys = [f"{name}.jpg" for name in names]
    data = np.frombuffer(b"".join(bodies), np.uint8)
    return Found(
        root.name,
        len(names),
        partial(JpegPool, data, offsets, keys, size=size),
        [name.rpartition("_")[0] for name in names],
        parts=concatenated(*((part, len(found)) for part, found in lists.items())),
        keys=keys,
    )


SETS: Mapping[str, tuple[str, Reader]] = {
    "ag_news_small": ("ag_news_small", partial(texts, label="name")),
    **{
        f"amazon_{domain}": ("amazon_multidomain", partial(reviews, domain=domain))
        for domain in ("books", "dvd", "electronics", "kitchen")
    },
    "cifar10_jpeg": ("cifar10_jpeg", partial(jpegs, train="cifar10_train.npz", test="cifar10_test.npz")),
    "ecg_mitbih": ("ecg_mitbih", partial(beats, file="mitbih_beats.npz")),
    "ecg_mitbih_fields": ("ecg_mitbih", partial(beat_fields, file="mitbih_beats.npz")),
    "fashion_mnist": ("fashion_mnist", partial(arrays, file="fashion_mnist.npz", classes=CLOTHES)),
    "har_wisdm": ("har_wisdm", partial(motions, file="wisdm_v1.1_transformed.csv.gz")),
    "hsi_indian_pines_695": ("hsi_indian_pines_695", partial(arrays, file="indian_pines_695.npz")),
    "liar": ("liar", partial(texts, valid="valid")),
    **{
        f"microarray_{name}": ("microarray", partial(arrays, file=f"{name}.npz"))
        for name in ("alon", "golub", "gravier", "khan", "singh")
    },
    "mnist": ("mnist", partial(arrays, file="mnist.npz")),
    "mr": ("mr", partial(texts, classes=POLARITY)),
    "neu_det_450": ("neu_det_450", partial(defects, file="neu_det_450.zip")),
    "sst2": (
        "sst2",
        partial(texts, classes=POLARITY, train="sentences_train", valid="sentences_dev", test="sentences_test"),
    ),
    "subj": ("subj", partial(texts, label="name")),
    "trec6": ("trec6", partial(texts, label="coarse")),
}
"""name -> (folder below $ASKWELL_DATA, reader)."""


def known() -> list[str]:
    """Names of all sets."""
    return sorted(["digits", *SETS])


def read_set(name: str) -> Reader:
    """The reader of a set by name; raises `UnknownName` with the nearest, or `BadData` when its files are not there."""
    if name == "digits":
        return digits
    if name not in SETS:
        raise UnknownName("data set", name, known())
    folder, reader = SETS[name]
    return partial(reader, _root(name) / folder)


def _root(name: str) -> Path:
    """The folder of all sets, which the environment names."""
    root = os.environ.get("ASKWELL_DATA")
    if not root:
        raise BadData(
            f"data set {name!r} is read from the folder that ASKWELL_DATA names, and it is not set: "
            "export ASKWELL_DATA=/path/to/data",
            got=name,
        )
    if not Path(root).is_dir():
        raise BadData(f"ASKWELL_DATA names {root}, and there is no such folder", got=root)
    return Path(root)


def _file(root: Path, file: str) -> Path:
    path = root / file
    if not path.is_file():
        raise BadData(f"there is no file {path}: is ASKWELL_DATA right?", got=path)
    return path
