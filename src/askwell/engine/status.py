"""Where a project stands: from its manifest and its store, without its data or its model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from askwell.core.spec import build
from askwell.engine.edits import Edits
from askwell.engine.folder import Folder
from askwell.engine.report import Report
from askwell.store import Store, open_store

__all__ = ["status", "summary"]


def status(path: str | Path) -> dict[str, Any]:
    """What `Project.status` says, for any project folder; reads only."""
    folder = Folder(Path(path))
    manifest = folder.manifest()
    with open_store(folder.store, mode="ro") as store:
        return summary(folder, manifest, store)


def summary(folder: Folder, manifest: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """As JSON: data, recipe, items per state, rounds, and what the last report says."""
    recipe, reports = manifest["recipe"], store.reports()
    last = Report.of(reports[-1]) if reports else None
    return {
        "path": str(folder.path),
        "data": manifest["data"]["name"],
        "recipe": recipe["name"],
        "strategy": repr(build("strategies", recipe["strategy"])),
        "classes": list(Edits(tuple(manifest["data"]["classes"]), tuple(store.edits())).classes),
        "items": store.counts(),
        "rounds": store.planned,
        "labels": store.counts()["answered"],
        "labels_of_the_model": last.labels if last else 0,
        "cost": store.cost,
        "metrics": dict(last.metrics) if last else {},
        "model": last.weights if last else "",
    }
