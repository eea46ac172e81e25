"""One door for all data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Pool
from askwell.core.seeds import Seeds
from askwell.data.dataset import Data
from askwell.data.datasets import read_dataset
from askwell.data.files import array_of, read_npy, read_npz
from askwell.data.labels import check_classes, encode
from askwell.data.read import Found
from askwell.data.sets import known, read_set
from askwell.data.sources import read_array, read_folder, read_frame, read_table_file, read_texts
from askwell.data.split import Sizes, divide
from askwell.data.table import ENDINGS
from askwell.errors import BadData, BadShape, InputError

__all__ = ["load"]

Reader = Callable[..., Found]
PATHS = ("labels", "features")
FILES: Mapping[str, Reader] = {".npz": read_npz, ".npy": read_npy, **dict.fromkeys(ENDINGS, read_table_file)}


def load(
    source: Any,
    *,
    classes: Sequence[str] | None = None,
    labels: Any = None,
    train: Any = None,
    seed: int = 0,
    pool_size: int | float | None = None,
    test_size: int | float | None = None,
    validation_size: int | float = 0,
    text: str | None = None,
    label: str | None = None,
    key: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    encoding: str | None = None,
    size: int | tuple[int, int] | None = None,
    length: int | None = None,
    features: Any = None,
    corrupt: Literal["refuse", "skip"] = "refuse",
    cache: str | Path | None = None,
) -> Data:
    """Items without labels, the labels apart, and a seeded split.

    source           "digits" or a set below $ASKWELL_DATA by name; a path of a folder of pictures, .npz, .npy, .csv,
                     .jsonl (both also .gz), .parquet; arrays, tensors, a list of texts, a DataFrame, a pool; any
                     map-style torch Dataset, with `train` for the same items with random transforms; `Data` as they are
    classes          names in their order; all labels that occur, in natural order, unless given
    labels           one per item, an array or the path of a .npy file; a name, a class index, or -1 or None if unknown
    test_size        a count, or a share of the labelled items (.2), where the source has no test part; else so many of
                     that part. pool_size, validation_size: likewise. Drawn by `seed`, in proportion to the classes
    text, label, key columns of a table; `key` may also list the users' own ids of what is given in memory
    columns          feature columns of a table; encoding: of its file ("utf-8")
    size             of pictures, (height, width) or one number; the first picture's, at most 224, unless given
    length           words per text, at most (64)
    features         (N, D) fixed vectors, an array or the path of a .npy file, in place of the computed ones
    corrupt          "skip" leaves out pictures that cannot be read, "refuse" names the first one that is met
    cache            folder for decoded pictures and features; the user's cache folder unless given

    Raises `BadData`, `BadShape`, `NotFinite`, `BadLabel`, `UnknownName`, each in one sentence.

    >>> data = load("digits", test_size=397, pool_size=1000)
    >>> len(data), len(data.split.candidates), len(data.split.test), data.pool.form.shape
    (1797, 1000, 397, (1, 8, 8))
    """
    reading = {
        "text": text, "label": label, "key": key, "columns": columns, "encoding": encoding, "size": size,
        "length": length, "train": train, "corrupt": None if corrupt == "refuse" else corrupt,
    }  # fmt: skip
    sizes = {"pool_size": pool_size, "test_size": test_size, "validation_size": validation_size or None}
    shaping = {"labels": labels, "features": features, "seed": seed or None, **sizes}
    options = {name: value for name, value in {**reading, **shaping}.items() if value is not None}
    if isinstance(source, Data):
        return _again(source, classes, options)
    origin = _origin(source)
    found = origin.read({name: options[name] for name in reading if name in options})
    if not found.count:
        raise BadData(f"{origin.what} holds no items", got=found.name)
    codes, names = _labels(found, labels, classes)
    split = divide(found.count, codes, found.parts, Sizes(pool_size, test_size, validation_size), Seeds(seed))
    vectors = None if features is None else _array(features)
    pool = found.make(fit_on=split.candidates, features=vectors, cache=None if cache is None else Path(cache))
    if classes is not None:
        options["classes"] = list(names)
    return Data(found.name, *_repeatable(origin.source, options), pool, names, codes, split)


@dataclass(frozen=True)
class Origin:
    """Where data come from.

    source  a name or a full path, "" for what is in memory; what: the same for messages
    name    of the data, where it is not the reader's to say
    """

    source: str
    what: str
    reader: Reader
    name: str = ""

    def read(self, options: Mapping[str, Any]) -> Found:
        """What the reader finds; an option that it does not take is refused by name."""
        takes = _options(self.reader)
        for name, value in options.items():
            if name not in takes:
                raise InputError(
                    f"option {name!r} does not apply to {self.what}, which takes {', '.join(takes) or 'none'}",
                    got=value,
                )
        found = self.reader(**options)
        return replace(found, name=self.name or found.name)


def _options(reader: Reader) -> list[str]:
    """Names of the keyword-only arguments: what a user may set."""
    while isinstance(reader, partial):
        reader = reader.func
    found = inspect.signature(reader).parameters.values()
    return [one.name for one in found if one.kind is inspect.Parameter.KEYWORD_ONLY]


def _origin(source: Any) -> Origin:
    if isinstance(source, str) and source in known():
        return Origin(source, f"data set {source!r}", read_set(source), source)
    if isinstance(source, str | Path):
        return _on_disk(source)
    kind = f"a {type(source).__name__}"
    return Origin("", kind, partial(_in_memory(source, kind), source))


def _on_disk(source: str | Path) -> Origin:
    path = Path(source).resolve()
    endings = [ending for ending in FILES if path.name.lower().endswith(ending)]
    if path.is_dir():
        return Origin(str(path), f"the folder {source}", partial(read_folder, path))
    if not path.exists():
        if isinstance(source, str) and not endings and "/" not in source and not path.suffix:
            read_set(source)
        raise BadData(f"there is no file or folder {source}", got=str(source))
    if not endings:
        raise BadData(
            f"{source} cannot be read: use a folder of pictures or a file {', '.join(FILES)}", got=str(source)
        )
    return Origin(str(path), f"the file {source}", partial(FILES[endings[0]], path))


def _in_memory(source: Any, kind: str) -> Reader:
    """The reader of what is in memory."""
    if isinstance(source, tuple) and len(source) == 2 and all(hasattr(one, "shape") for one in source):
        raise InputError("got a pair of arrays: give the labels by their name, labels=y")
    if all(hasattr(type(source), name) for name in ("items", "positions", "keys")):
        return read_pool
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return read_frame
    if isinstance(source, list | tuple) and len(source) and isinstance(source[0], str):
        return read_texts
    if hasattr(source, "__array__"):
        return read_array
    if hasattr(source, "__len__") and hasattr(source, "__getitem__"):
        return read_dataset
    raise BadData(
        f"cannot read data from {kind}: give a name, a path, an array, texts, a DataFrame or a map-style Dataset",
        got=source,
    )


def read_pool(pool: Pool) -> Found:
    """A pool that somebody else has made; it is taken as it is."""

    def make(*, fit_on: Any, features: Any, cache: Any) -> Pool:
        if features is not None:
            raise InputError("features do not apply to a pool that is made: give them where it is made")
        return pool

    return Found("pool", len(pool), make)


def _labels(
    found: Found, labels: Any, classes: Sequence[str] | None
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Class indices and classes; None where no label is known."""
    named = None if classes is None else check_classes(classes)
    values = found.labels if labels is None else _array(labels) if isinstance(labels, str | Path) else labels
    if found.guessed and labels is None and named and not set(named) & set(values or ()):
        values = None
    if values is None:
        return None, named or found.classes or ()
    codes, names = encode(values, named or found.classes)
    if len(codes) != found.count:
        raise BadShape(f"there are {len(codes)} labels for {found.count} items", got=len(codes))
    return (codes if (codes >= 0).any() else None), names


def _again(data: Data, classes: Sequence[str] | None, options: Mapping[str, Any]) -> Data:
    """Data that are loaded already; only the classes of unlabelled ones may be named late."""
    for name in options:
        raise InputError(f"these data are loaded already: give {name!r} where they are loaded", got=name)
    if classes is None or tuple(classes) == data.classes:
        return data
    if data.labels is not None:
        raise InputError(
            f"these data have the classes {', '.join(data.classes)}, not {', '.join(classes)}", got=classes
        )
    return replace(data, classes=check_classes(classes))


def _repeatable(source: str, options: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Source and options, as JSON, that load the same again; source "" where something was given in memory."""
    kept = {name: _plain(name, value) for name, value in options.items()}
    plain = {name: value for name, value in kept.items() if value is not None}
    return source if len(plain) == len(options) else "", plain


def _plain(name: str, value: Any) -> Any:
    """An option as JSON, a path in full; None for what lives in memory only."""
    if name in PATHS:
        return str(Path(value).resolve()) if isinstance(value, str | Path) else None
    if name == "train":
        return None
    return list(value) if isinstance(value, tuple) else value


def _array(given: Any) -> NDArray[Any]:
    return array_of(Path(given)) if isinstance(given, str | Path) else np.asarray(given)
