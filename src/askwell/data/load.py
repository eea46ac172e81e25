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
from askwell.data.alike import all_candidates, check_alike, columns_of, made_like
from askwell.data.dataset import Data
from askwell.data.datasets import read_dataset
from askwell.data.extracted import LENGTH, Extracted, is_folder
from askwell.data.files import array_of, read_npy, read_npz
from askwell.data.hub import is_hub, is_hub_folder, read_hub, read_hub_folder
from askwell.data.labelling import Labelling
from askwell.data.labels import check_classes
from askwell.data.read import Found
from askwell.data.sets import known, read_set
from askwell.data.simclr import NAME as SIMCLR
from askwell.data.simclr import SimCLR
from askwell.data.sources import read_array, read_arrow_file, read_folder, read_frame, read_table_file, read_texts
from askwell.data.split import Sizes, divide
from askwell.data.table_files import ARROW, TEXT
from askwell.errors import BadData, InputError

__all__ = ["applying", "items_like", "load"]

Reader = Callable[..., Found]
PATHS = ("labels", "features")
FILES: Mapping[str, Reader] = {
    ".npz": read_npz, ".npy": read_npy, **dict.fromkeys(TEXT, read_table_file), **dict.fromkeys(ARROW, read_arrow_file),
}  # fmt: skip


def load(
    source: Any,
    *,
    task: Literal["classification", "multi_label", "regression"] | None = None,
    classes: Sequence[str] | None = None,
    labels: Any = None,
    train: Any = None,
    seed: int = 0,
    pool_size: int | float | None = None,
    test_size: int | float | None = None,
    validation_size: int | float = 0,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    encoding: str | None = None,
    size: int | tuple[int, int] | None = None,
    length: int | None = None,
    features: Any = None,
    corrupt: Literal["refuse", "skip"] = "refuse",
    cache: str | Path | None = None,
    like: Pool | None = None,
) -> Data:
    """Items without labels, the labels apart, and a seeded split.

    source           "digits" or a set below $ASKWELL_DATA by name; a path of a folder of pictures, .npz, .npy, .csv,
                     .tsv, .jsonl (all also .gz), .parquet, .arrow, .feather, or a folder by `save_to_disk`; arrays,
                     tensors, a list of texts, a DataFrame, a pyarrow Table, a pool, a Dataset or DatasetDict of Hugging
                     Face; any map-style torch Dataset, with `train` for the same items with random transforms; `Data`
                     as they are
    task             what a label is: one class ("classification", unless labels are clearly something else, which is
                     refused), several ("multi_label") or a number ("regression")
    classes          names in their order; all labels that occur, in natural order, unless given
    labels           one per item: an array, a list, the path of a .npy file, or of a table with a column of the items'
                     keys (of pictures, paths below the folder; else row numbers), where items without a row are
                     unknown. A name, a class index, or -1 or None if unknown; of several labels a list of names,
                     "a|b", "a;b", a JSON list, or rows of 0 and 1, "" or None if unknown, [] if none; a number, or NaN
    test_size        a count, or a share of the labelled items (.2), where the source has no test part; else so many of
                     that part. pool_size, validation_size: likewise. Drawn by `seed`, in proportion to the classes
                     where every item has one
    text, label, key columns of a table; `label` may name several of 0 and 1, `key` may also list the users' own ids of
                     what is given in memory. `label` and `key` are columns of the table in `labels` where it is one
    columns          feature columns of a table; encoding: of its file ("utf-8"). The first row of a .csv file says
                     whether "," or ";" or tabs stand between cells; with ";" numbers may have a decimal comma
    size             of pictures, (height, width) or one number; the first picture's, at most 224, unless given
    length           words per text, at most (64); tokens of a model in `features` (128)
    features         (N, D) fixed vectors, an array or the path of a .npy file, in place of the computed ones,
                     the folder of a saved model (Hugging Face format), whose embeddings are computed once, or
                     "simclr": of pictures, by an encoder that learns from the candidates without labels, once
    corrupt          "skip" leaves out pictures that cannot be read, "refuse" names the first one that is met
    cache            folder for decoded pictures and features; the user's cache folder unless given
    like             a pool that these items will be used with: they get its vocabulary, picture size, columns, scale
                     and feature map, and all of them are candidates

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
    shaping = {"task": task, "labels": labels, "features": features, "seed": seed or None, **sizes}
    options = {name: value for name, value in {**reading, **shaping}.items() if value is not None}
    if isinstance(source, Data) and like is not None:
        check_alike(source.pool, like)
    if isinstance(source, Data):
        return _again(source, classes, options)
    origin = _origin(source)
    if like is not None and columns is None and "columns" in _options(origin.reader):
        options |= {"columns": wanted} if (wanted := columns_of(like)) else {}
    labelling, takes = Labelling(task, classes, labels, label, key, encoding), _options(origin.reader)
    found = origin.read(labelling.left({name: options[name] for name in reading if name in options}, takes))
    if not found.count:
        raise BadData(f"{origin.what} holds no items", got=found.name)
    kind, codes, names = labelling.of(found, takes)
    vectors, home = None if features is None else _fixed(features, length), None if cache is None else Path(cache)
    if like is None:
        split = divide(found.count, codes, found.parts, Sizes(pool_size, test_size, validation_size), Seeds(seed))
        pool = found.make(fit_on=split.candidates, features=vectors, cache=home)
    else:
        split, pool = all_candidates(found.count, sizes), made_like(found, like, vectors, home)
    if isinstance(vectors, Extracted | SimCLR):
        vectors.check(pool.form)
    if classes is not None:
        options["classes"] = list(names)
    return Data(found.name, *_repeatable(origin.source, options), pool, names, codes, split, kind, found.groups)


def applying(options: Mapping[str, Any], source: Any) -> dict[str, Any]:
    """Those of these options that this source takes.

    >>> applying({"text": "review", "length": 9}, ["a cat", "a dog"])
    {'length': 9}
    """
    taken = [] if isinstance(source, Data) else _options(_origin(source).reader)
    return {name: value for name, value in options.items() if name in taken}


def items_like(source: Any, like: Pool, usual: Mapping[str, Any], **given: Any) -> Pool:
    """Items alone, as those of another pool: what is known about their labels is not looked at.

    usual  options of the other pool's own source, used as far as they apply to this one
    given  `features`, `cache`, and options that must apply

    >>> from askwell.data import TextPool
    >>> pool = items_like(["a bird", "the cat"], TextPool(["a cat", "a dog"]), {"text": "review"})
    >>> pool.tokens.tolist()
    [[2, 1], [1, 3]]
    """
    if isinstance(source, Data):
        pool = source.pool
        if pool is not like:
            check_alike(pool, like)
        return pool
    origin, features, cache = _origin(source), given.pop("features", None), given.pop("cache", None)
    taken, columns = _options(origin.reader), columns_of(like)
    options = {name: value for name, value in {**usual, "columns": columns}.items() if name in taken and value}
    found = origin.read({**options, **given})
    vectors = None if features is None else _fixed(features, given.get("length"))
    return made_like(found, like, vectors, None if cache is None else Path(cache))


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
    if path.is_dir() and is_hub_folder(path):
        return Origin(str(path), f"the dataset in {source}", partial(read_hub_folder, path))
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
    if is_hub(source):
        return read_hub
    if hasattr(source, "iloc") or hasattr(source, "to_batches"):
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

    def make(*, fit_on: Any, features: Any, cache: Any, like: Pool | None = None) -> Pool:
        if features is not None:
            raise InputError("features do not apply to a pool that is made: give them where it is made")
        if like is not None:
            check_alike(pool, like)
        return pool

    return Found("pool", len(pool), make)


def _again(data: Data, classes: Sequence[str] | None, options: Mapping[str, Any]) -> Data:
    """Data that are loaded already; only the classes of unlabelled ones may be named late."""
    if options.get("task", data.task) != data.task:
        raise InputError(f"these data are for {data.task}: give 'task' where they are loaded", got=options["task"])
    for name in options.keys() - {"task"}:
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
    if name in PATHS and not (isinstance(value, str) and value == SIMCLR):
        return str(Path(value).resolve()) if isinstance(value, str | Path) else None
    if name == "train":
        return None
    return list(value) if isinstance(value, tuple) else value


def _fixed(features: Any, length: int | None) -> NDArray[Any] | Extracted | SimCLR:
    """Features as numbers, the frozen model that computes them, or a way to learn them."""
    if isinstance(features, str) and features == SIMCLR:
        return SimCLR()
    return Extracted(str(features), length or LENGTH) if is_folder(features) else _array(features)


def _array(given: Any) -> NDArray[Any]:
    return array_of(Path(given)) if isinstance(given, str | Path) else np.asarray(given)
