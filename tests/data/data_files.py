"""Small files for the tests of data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from askwell.core.pool import Pool


def tensors(pool: Pool, positions: list[int] | None = None, size: int = 3, mode: Any = "eval") -> Tensor:
    """Items of a pool as one tensor, gathered in batches."""
    ids = torch.arange(len(pool)) if positions is None else torch.tensor(positions)
    return torch.cat([batch for _, batch in pool.items(mode).batches(ids, size)])


def picture(colour: int | tuple[int, int, int], width: int = 6, height: int = 4) -> Image.Image:
    return Image.new("L" if isinstance(colour, int) else "RGB", (width, height), colour)


def encoded(colour: int | tuple[int, int, int], form: str = "png", **size: int) -> bytes:
    file = io.BytesIO()
    picture(colour, **size).save(file, form)
    return file.getvalue()


def photos(root: Path, *names: str) -> Path:
    """A folder of pictures of these names, each darker than the next one."""
    for place, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded((10 * place, 0, 0)))
    return root


class Pairs:
    """A map-style dataset of (item, label) pairs; counts how often it is read."""

    def __init__(self, items: Any, labels: Any) -> None:
        self.items, self.labels, self.reads = items, labels, 0

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        self.reads += 1
        return self.items[place], self.labels[place]


def reachable(root: Any) -> Iterator[Any]:
    """Everything that can be reached from an object by attributes, elements, closures and the bases of arrays."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += list(_parts(one))


def _parts(one: Any) -> Iterator[Any]:
    if isinstance(one, type) or type(one).__name__ == "module":
        return
    if isinstance(one, np.ndarray):
        yield one.base
    elif isinstance(one, dict):
        yield from one.keys()
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one
    yield from getattr(one, "__dict__", {}).values()
    for cell in getattr(one, "__closure__", None) or ():
        yield cell.cell_contents
    for name in ("func", "args", "keywords", "__self__"):
        yield getattr(one, name, None)


def same(found: Any, labels: NDArray[Any]) -> bool:
    """Whether an object is, or holds, these labels: as an array of any type, a list, or a column of a larger array."""
    if isinstance(found, Tensor):
        found = found.numpy()
    if isinstance(found, list | tuple) and len(found) == len(labels):
        return [str(value) for value in found] == [str(value) for value in labels]
    if not isinstance(found, np.ndarray) or len(found.shape) == 0 or len(found) != len(labels):
        return False
    columns = found.reshape(len(found), -1).T
    if {found.dtype.kind, labels.dtype.kind} <= set("biuf"):
        return bool((columns == labels).all(1).any())
    return bool((columns.astype(str) == labels.astype(str)).all(1).any())
