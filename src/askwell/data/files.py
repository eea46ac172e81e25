"""Arrays in .npy and .npz files, memory-mapped where they are stored plainly. Pickles are never read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.arrays import ArrayPool
from askwell.data.read import Found, concatenated
from askwell.data.split import CANDIDATE, TEST, VALIDATION
from askwell.errors import BadData

__all__ = ["Archive", "read_npy", "read_npz"]

ITEMS = ("x", "X", "data", "images", "features")
LABELS = ("y", "Y", "target", "targets", "labels", "label")
CLASSES = ("class_names", "classes", "target_names")
PARTS = {
    "train": CANDIDATE, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION,
    "test": TEST,
}  # fmt: skip


class Archive:
    """The arrays of one .npz file by name; nothing is read before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        except (OSError, zipfile.BadZipFile) as error:
            raise BadData(f"{path} cannot be read as .npz: {_reason(path, error)}", got=path) from error

    def __getitem__(self, name: str) -> NDArray[Any]:
        info = self.members[name]
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(info) as member:
                if info.compress_type == zipfile.ZIP_STORED:
                    return np.memmap(self.path, **_place(member, info, self.path))
                return np.lib.format.read_array(member, allow_pickle=False)
        except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise BadData(f"{self.path}: array {name!r} cannot be read: {_plain(error)}", got=name) from error

    def first(self, names: Sequence[str]) -> NDArray[Any] | None:
        """The first of these arrays that there is."""
        return next((self[name] for name in names if name in self.members), None)


def read_npz(path: Path, *, key: str | None = None) -> Found:
    """Items x with labels y, or x_train, y_train, x_test, y_test; other usual names too. key: an array of ids."""
    archive = Archive(path)
    parts = [part for part in PARTS if f"x_{part}" in archive.members]
    if "train" in parts:
        items = [archive[f"x_{part}"] for part in parts]
        labels = [archive.first([f"y_{part}"]) for part in parts]
        sizes = concatenated(*((PARTS[part], len(rows)) for part, rows in zip(parts, items, strict=True)))
        return _found(archive, _joined(items, path), _all(labels), key, sizes)
    rows = archive.first(ITEMS)
    if rows is None:
        raise BadData(
            f"{path} has the arrays {', '.join(archive.members) or 'none'}: name the items x and the labels y, or "
            "x_train, y_train, x_test, y_test",
            got=list(archive.members),
        )
    return _found(archive, rows, archive.first(LABELS), key, None)


def read_npy(path: Path, *, key: Sequence[str] | None = None) -> Found:
    """One memory-mapped array of items."""
    rows = array_of(path)
    return Found(path.stem, len(rows), partial(ArrayPool, rows, key), keys=key)


def array_of(path: Path) -> NDArray[Any]:
    """The array of a .npy file, memory-mapped; raises `BadData`."""
    if path.suffix.lower() != ".npy":
        why = "its name does not end so" if path.exists() else "there is no such file or folder"
        raise BadData(f"{path} cannot be read as .npy: {why}", got=path)
    try:
        return np.load(path, mmap_mode="c", allow_pickle=False)  # type: ignore[no-any-return]
    except (OSError, ValueError, EOFError) as error:
        raise BadData(f"{path} cannot be read as .npy: {_reason(path, error)}", got=path) from error


def _found(
    archive: Archive, rows: NDArray[Any], labels: NDArray[Any] | None, key: str | None, parts: NDArray[np.int8] | None
) -> Found:
    if key is not None and key not in archive.members:
        raise BadData(f"{archive.path} has no array {key!r}: it has {', '.join(archive.members)}", got=key)
    ids = None if key is None else [str(value) for value in archive[key].tolist()]
    names = archive.first(CLASSES)
    classes = None if names is None else tuple(str(name) for name in names.tolist())
    return Found(archive.path.stem, len(rows), partial(ArrayPool, rows, ids), labels, classes, parts, keys=ids)


def _joined(items: Sequence[NDArray[Any]], path: Path) -> NDArray[Any]:
    try:
        return items[0] if len(items) == 1 else np.concatenate(items)
    except ValueError:
        shapes = ", ".join(str(rows.shape) for rows in items)
        raise BadData(f"{path}: train and test items differ in shape: {shapes}", got=shapes) from None


def _all(labels: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    given = [part for part in labels if part is not None]
    return np.concatenate(given) if len(given) == len(labels) else None


def _place(member: Any, info: zipfile.ZipInfo, path: Path) -> dict[str, Any]:
    """Where a stored array lies in the archive: arguments of `numpy.memmap`."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    with open(path, "rb") as file:
        file.seek(info.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
    start = info.header_offset + 30 + int(lengths.sum()) + member.tell()
    return {"dtype": dtype, "mode": "c", "offset": start, "shape": shape, "order": "F" if fortran else "C"}


def _reason(path: Path, error: Exception) -> str:
    return "it is empty" if path.is_file() and not path.stat().st_size else _plain(error)


def _plain(error: Exception) -> str:
    if "allow_pickle" in str(error) or "Python objects" in str(error):
        return "it holds Python objects (a pickle), which are never read; save plain arrays"
    return str(error)
