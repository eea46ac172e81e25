"""Datasets of Hugging Face: texts, pictures and numbers, read where they lie in memory-mapped Arrow files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.arrow import ROWS, ArrowTable
from askwell.data.digest import of_parts
from askwell.data.files import PARTS
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Keys, Named, keys_for
from askwell.data.label_table import LABELS, labels_of
from askwell.data.labels import missing
from askwell.data.pictures import PicturePool, Source
from askwell.data.read import Found, concatenated
from askwell.data.sources import first, found_in_table
from askwell.data.strings import Strings
from askwell.errors import BadData, InputError, MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HubPictures", "HubTexts", "is_hub", "is_hub_folder", "read_hub", "read_hub_folder"]

KINDS = ("Dataset", "DatasetDict", "IterableDataset", "IterableDatasetDict")


def is_hub(source: Any) -> bool:
    """Whether this is a dataset of the package `datasets`, which is not imported for it."""
    return any(kind.__name__ in KINDS and kind.__module__.startswith("datasets.") for kind in type(source).__mro__)


def is_hub_folder(path: Path) -> bool:
    """Whether `save_to_disk` has written this folder."""
    single = (path / "state.json").is_file() and (path / "dataset_info.json").is_file()
    return single or (path / "dataset_dict.json").is_file()


def read_hub_folder(
    path: Path,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    size: int | tuple[int, int] | None = None,
    length: int | None = None,
) -> Found:
    """A folder that `save_to_disk` has written; nothing of it is loaded but ids and labels."""
    try:
        from datasets import load_from_disk
    except ImportError:
        raise MissingExtra("datasets", "hf") from None
    try:
        given = load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadData(f"the dataset in {path} cannot be read: {error}", got=path) from error
    found = read_hub(given, text=text, label=label, key=key, columns=columns, size=size, length=length)
    return replace(found, name=path.name)


def read_hub(
    given: Any,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    size: int | tuple[int, int] | None = None,
    length: int | None = None,
) -> Found:
    """A Dataset, or a DatasetDict with its splits as parts.

    A column of pictures makes the items unless `text` or `columns` say otherwise; all else is as in other tables. Names
    of classes come from the features. Raises `BadData` for a dataset that only streams.
    """
    dataset, parts = _whole(given)
    table = hub_table(dataset)
    label = label or first(table, LABELS)
    picture = None if text or columns else _picture(dataset)
    _check_options(picture, size, length)
    if picture is None:
        found = found_in_table(table, "dataset", text, label, key, columns, length or 64)
    else:
        found = _pictures(table, picture, label, key, size)
    return replace(found, classes=found.classes or _classes(dataset, label), parts=parts)


@dataclass(frozen=True)
class HubTable(ArrowTable):
    """Columns of a Dataset."""

    dataset: Any

    def texts(self, name: str, cache: Path | None = None) -> Sequence[str]:
        """A column that stays in the Dataset."""
        self.check(name)
        return HubTexts(self.dataset, name)


class HubTexts(Strings):
    """A column of texts in a Dataset."""

    def __init__(self, dataset: Any, column: str) -> None:
        self.rows = dataset.select_columns([column]).with_format("arrow")

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, positions: Sequence[int]) -> list[str]:
        found = self.rows[positions].column(0).to_pylist()
        return ["" if missing(text) else str(text) for text in found]


class HubPictures(PicturePool):
    """A column of pictures in a Dataset; they are decoded when they are first needed."""

    def __init__(
        self,
        dataset: Any,
        column: str,
        keys: Sequence[str] | Keys | None = None,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        self.rows = dataset.select_columns([column]).with_format("arrow")
        ids = keys_for(len(dataset), keys)
        super().__init__(ids, size=size, fit_on=fit_on, features=features, cache=cache, like=like)

    @cached_property
    def digest(self) -> str:
        return of_parts(self.versions)

    @cached_property
    def versions(self) -> NDArray[np.int64]:
        """The hash of every picture, (N, 2); reads all of them once."""
        hashes = b"".join(blake2b(self._bytes(row), digest_size=16).digest() for row in range(len(self)))
        return np.frombuffer(hashes, np.int64).reshape(-1, 2)

    @property
    def _origin(self) -> str:
        return self.digest

    def _source(self, position: int) -> Source:
        return io.BytesIO(self._bytes(position))

    def _bytes(self, position: int) -> bytes:
        """The encoded picture, from the Dataset or from the file that it names."""
        found = self.rows[position].column(0)[0].as_py() or {}
        if found.get("bytes") is not None:
            return bytes(found["bytes"])
        if not found.get("path"):
            raise BadData(f"picture {self._name(position)!r} is missing", got=position)
        try:
            return Path(found["path"]).read_bytes()
        except OSError as error:
            raise BadData(f"picture {found['path']!r} cannot be read: {error.strerror}", got=found["path"]) from error


def hub_table(dataset: Any) -> HubTable:
    """A Dataset as a table; class labels are given by name, -1 as None."""

    def batches(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for rows in dataset.select_columns(list(names)).with_format("arrow").iter(ROWS):
            yield from rows.to_batches()

    def get(name: str) -> list[Any]:
        named = _namer(dataset.features[name])
        return [named(value) for batch in batches([name]) for value in batch.column(name).to_pylist()]

    schema = dataset.features.arrow_schema
    return HubTable("the dataset", dataset.column_names, len(dataset), get, schema, batches, "", dataset)


def _whole(given: Any) -> tuple[Any, NDArray[np.int8] | None]:
    """One Dataset, and the parts that its rows come from."""
    if type(given).__name__.startswith("Iterable"):
        raise BadData(
            f"a {type(given).__name__} only streams, and questions go back to single items: load it without "
            "streaming=True, or keep its rows with Dataset.from_list(list(dataset))"
        )
    if not isinstance(given, dict):
        return given, None
    if len(given) == 1:
        return next(iter(given.values())), None
    _check_splits(given)
    from datasets import concatenate_datasets

    sizes = [(PARTS[name], len(part)) for name, part in given.items()]
    return concatenate_datasets(list(given.values())), concatenated(*sizes)


def _check_splits(splits: dict[str, Any]) -> None:
    strange = next((name for name in splits if name not in PARTS), None)
    if strange is not None or "train" not in splits:
        what = f"one is named {strange!r}" if strange is not None else "none is named 'train'"
        raise BadData(
            f"the dataset has the splits {', '.join(splits)}, and {what}: take those to use as train, validation and "
            "test",
            got=list(splits),
        )
    columns = {name: sorted(part.column_names) for name, part in splits.items()}
    for name, found in columns.items():
        if found != columns["train"]:
            raise BadData(
                f"split {name!r} has the columns {', '.join(found)}, and 'train' has {', '.join(columns['train'])}",
                got=name,
            )


def _pictures(
    table: HubTable,
    picture: str,
    label: str | Sequence[str] | None,
    key: str | None,
    size: int | tuple[int, int] | None,
) -> Found:
    labels, classes = (None, None) if label is None else labels_of(table, label)
    ids = None if key is None else Named(table.strings(key), table.called(key))
    make = partial(HubPictures, table.dataset, picture, ids, size=size)
    return Found("dataset", table.count, make, labels, classes, keys=ids)


def _picture(dataset: Any) -> str | None:
    """The first column of pictures."""
    return next((name for name, kind in dataset.features.items() if type(kind).__name__ == "Image"), None)


def _check_options(picture: str | None, size: Any, length: Any) -> None:
    """Refuses what does not apply to these items."""
    if picture is None and size is not None:
        raise InputError("option 'size' does not apply to a dataset without a column of pictures", got=size)
    if picture is not None and length is not None:
        raise InputError(f"option 'length' does not apply to pictures, as column {picture!r} has them", got=length)


def _class_label(kind: Any) -> Any:
    """The feature that names classes: the column's own, or that of its elements."""
    inner = getattr(kind, "feature", kind)
    return inner if hasattr(inner, "names") else None


def _classes(dataset: Any, label: str | Sequence[str] | None) -> tuple[str, ...] | None:
    named = _class_label(dataset.features[label]) if isinstance(label, str) else None
    return None if named is None else tuple(named.names)


def _namer(kind: Any) -> Callable[[Any], Any]:
    """A label as the names of its classes."""
    named = _class_label(kind)
    if named is None:
        return lambda value: value

    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(one) for one in value]
        return None if value is None or value < 0 else named.names[value]

    return name
