"""What a project was made from: recorded when it is created, found again when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from askwell.core.recipe import Recipe
from askwell.data import Data, Split, load
from askwell.engine.folder import Folder, versions
from askwell.errors import ProjectError
from askwell.store import Store, open_store

__all__ = ["clear_half_made", "describe", "found_again", "record", "split_of"]


def describe(data: Data, recipe: Recipe, seed: int, device: str) -> dict[str, Any]:
    """The manifest: all that is needed to run the same again."""
    return {
        "versions": versions(),
        "threads": torch.get_num_threads(),
        "seed": seed,
        "device": device,
        "data": {
            "name": data.name,
            "source": data.source,
            "options": dict(data.options),
            "digest": data.digest,
            "classes": list(data.classes),
        },
        "recipe": recipe.config(),
        "hash": recipe.hash,
    }


def found_again(path: Path, known: Mapping[str, Any], data: Any, loading: Mapping[str, Any]) -> Data:
    """The data of a manifest, by their source or as given, checked by hash."""
    if data is None and not known["source"]:
        raise ProjectError(f"{path} was made from data in memory: give it again, Project.open(path, data)")
    if isinstance(data, Data):
        found = data
    else:
        options = {"classes": known["classes"], **known["options"], **loading}
        found = load(known["source"] if data is None else data, **options)
    if found.digest != known["digest"]:
        raise ProjectError(
            f"the data of {path} have changed: {found.name} has hash {found.digest[:12]}, the project knows "
            f"{known['digest'][:12]}; what was given beside them, such as labels or features, is to be given again "
            "as `loading`"
        )
    return found


def clear_half_made(folder: Folder) -> None:
    """Removes what a `create` that was killed has left: a store without any question, and no manifest."""
    if (folder.path / "project.json").exists():
        return
    if folder.store.exists():
        with open_store(folder.store, create=True) as store:
            if store.planned or store.last:
                return
        for file in folder.path.glob("labels.db*"):
            file.unlink()
    (folder.path / "recipe.json").unlink(missing_ok=True)
    for part in (folder.cache, folder.path / "models"):
        if part.is_dir() and not any(part.iterdir()):
            part.rmdir()


def record(store: Store, data: Data) -> None:
    """Enters the items, and those that are never asked: validation, test, and what is set aside."""
    store.grow(len(data.pool), "data", data.source, data.pool.digest)
    used = np.concatenate([data.split.candidates, data.split.validation, data.split.test])
    aside = np.setdiff1d(np.arange(len(data.pool)), used)
    for role, ids in (("validation", data.split.validation), ("test", data.split.test), ("aside", aside)):
        store.reserve(role, ids)


def split_of(store: Store, size: int) -> Split:
    """The split that `record` entered."""
    validation, test = store.reserved("validation"), store.reserved("test")
    others = np.concatenate([validation, test, store.reserved("aside")])
    return Split(np.setdiff1d(np.arange(size), others), validation, test)
