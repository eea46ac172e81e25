"""What a project folder holds, and how it is written so that a kill leaves no half file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from askwell.errors import NotWritable, ProjectError

__all__ = ["Folder", "versions"]

FORMAT = 1


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    names = ("askwell", "torch", "numpy", "scipy", "scikit-learn", "torchmetrics")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


@dataclass(frozen=True)
class Folder:
    """A project's files.

    project.json       the manifest: versions, recipe, seed, data and its hash, threads
    recipe.json        the resolved recipe
    labels.db          questions, answers, rounds and reports; the only file that cannot be made again
    rounds.jsonl       an export of the reports
    models/            the last fit's model, as safetensors
    calibration.json   the temperature of that model, once it was wanted
    made/              pictures that a strategy made, as people are shown them
    cache/             scratch
    """

    path: Path

    @property
    def store(self) -> Path:
        return self.path / "labels.db"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    def model(self, name: str) -> Path:
        """Where the model of this name is kept."""
        return self.path / "models" / f"{name}.safetensors"

    def make(self) -> None:
        """Creates the folders."""
        with self.writing():
            for part in (self.path, self.cache, self.path / "models"):
                part.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str) -> None:
        """Writes a file whole or not at all."""
        with self.writing():
            draft = self.path / f".{name}.{os.getpid()}"
            draft.write_text(text, encoding="utf-8", newline="")
            draft.replace(self.path / name)

    def manifest(self) -> dict[str, Any]:
        """project.json, checked for its format."""
        file = self.path / "project.json"
        if not file.is_file():
            raise ProjectError(f"{self.path} is not an askwell project: it has no project.json")
        try:
            found = json.loads(file.read_text())
        except ValueError:
            raise ProjectError(f"{file} is damaged: it is not JSON") from None
        if found.get("format", 0) > FORMAT:
            raise ProjectError(f"{self.path} was written by a newer askwell ({found.get('versions')}): update askwell")
        missing = {"recipe", "data", "seed", "device", "threads"} - found.keys()
        if missing:
            raise ProjectError(f"{file} is damaged: it lacks {', '.join(sorted(missing))}")
        return dict(found)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Writes project.json and recipe.json."""
        self.write("recipe.json", json.dumps(manifest["recipe"], indent=1) + "\n")
        self.write("project.json", json.dumps({"format": FORMAT, **manifest}, indent=1) + "\n")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turns a full disk or a read-only folder into one sentence."""
        try:
            yield
        except OSError as error:
            raise NotWritable(
                f"cannot write in {self.path}: {error.strerror or error}; nothing recorded is lost"
            ) from error
