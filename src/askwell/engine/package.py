"""A project's model as a folder that can be used without the project: weights, classes, metrics, card; no pickle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from askwell.core.learner import Learner
from askwell.core.pool import Pool
from askwell.core.recipe import Recipe
from askwell.core.spec import config
from askwell.core.task import Task
from askwell.data import Data
from askwell.data.serving import Serving, serving_of
from askwell.engine.calibrate import Calibration
from askwell.engine.card import card
from askwell.engine.folder import versions
from askwell.engine.predict import reading
from askwell.engine.report import Report
from askwell.errors import InputError, MissingExtra, NotWritable
from askwell.learners import Linear, Sklearn, Transformer
from askwell.learners.around import innermost
from askwell.learners.sklearn import SklearnLearner
from askwell.models.folder import ModelFolder

__all__ = ["BASE", "DESCRIPTION", "ESTIMATOR", "FORMAT", "FROZEN", "WEIGHTS", "Package", "based", "digest_of"]

FORMAT = 1
DESCRIPTION, WEIGHTS, ESTIMATOR, CARD = "askwell.json", "model.safetensors", "model.skops", "README.md"
BASE, FROZEN = "base", "features"
"""Folders of the saved model that was fine-tuned, and of the one whose embeddings are the features."""


@dataclass(frozen=True)
class Package:
    """A fitted model, and what it is used with and described by.

    askwell.json       what built it: learner, scheme, task, classes, strategy; labels, metrics, temperature, data hash;
                       the hashes of the other files
    model.safetensors  the weights; of a scikit-learn estimator model.skops, and the classes that it knows
    items.json, …      how items become tensors: vocabulary, picture size, columns and their scale, feature map
    base/, features/   a saved model that was fine-tuned, or whose embeddings are the features
    README.md          a model card
    """

    learner: Learner
    recipe: Recipe
    task: Task
    pool: Pool
    data: Data
    report: Report
    calibration: Calibration

    def write(self, path: str | Path) -> Path:
        """Writes the folder, whole or not at all, and returns its path; refuses one that holds anything.

        Raises `MissingExtra` for an estimator of scikit-learn without skops, `NotWritable` for a full disk.
        """
        path = Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(f"{path} is there already: choose a new folder for the model", got=str(path))
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.mkdir(parents=True)
            self._fill(draft)
            draft.replace(path)
        except OSError as error:
            raise NotWritable(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return path

    def _fill(self, folder: Path) -> None:
        serving = serving_of(self.pool, reads_features(self.recipe, self.pool))
        for name, content in ({} if serving is None else serving.files()).items():
            (folder / name).write_bytes(content)
        if serving is not None and serving.model is not None:
            copy_model(serving.model.folder, folder / FROZEN)
        inner = innermost(self.recipe.learner)
        if isinstance(inner, Transformer):
            copy_model(inner.folder, folder / BASE)
        self._write_model(folder)
        hashes = {file.relative_to(folder).as_posix(): digest_of(file) for file in sorted(_files(folder))}
        about = self._about(serving, hashes)
        (folder / DESCRIPTION).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        (folder / CARD).write_text(card(about), encoding="utf-8")

    def _write_model(self, folder: Path) -> None:
        if isinstance(self.learner, SklearnLearner):
            (folder / ESTIMATOR).write_bytes(_dumped(self.learner.estimator))
        else:
            self.learner.save(folder / WEIGHTS)

    def _about(self, serving: Serving | None, hashes: dict[str, str]) -> dict[str, Any]:
        learner, report = based(config(self.recipe.learner), BASE), self.report
        seen = {"seen": self.learner.seen.tolist()} if isinstance(self.learner, SklearnLearner) else {}
        return {
            "format": FORMAT,
            "name": f"{self.data.name}-{self.recipe.name}",
            "task": self.recipe.task,
            "classes": list(self.task.labels),
            "learner": learner,
            "scheme": config(self.recipe.scheme),
            "form": asdict(self.pool.form),
            "items": None if serving is None else serving.kind,
            "reading": reading(self.data.options),
            "files": hashes,
            **seen,
            "temperature": self.calibration.temperature,
            "calibration": {"how": self.calibration.how, "items": self.calibration.items},
            "recipe": self.recipe.config(),
            "labels": report.labels,
            "rounds": report.planned,
            "cost": report.cost,
            "headline": report.headline,
            "metrics": dict(report.metrics),
            "weights": report.weights,
            "data": {"name": self.data.name, "digest": self.data.digest, "items": len(self.pool)},
            "versions": versions(),
        }


def based(spec: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The description of a learner whose saved model, if it has one, lies at `path`."""
    if "of" in spec:
        return {**spec, "of": based(spec["of"], path)}
    return {**spec, "path": path} if "path" in spec else dict(spec)


def reads_features(recipe: Recipe, pool: Pool) -> bool:
    """Whether the recipe's learner reads fixed features rather than items."""
    learner = innermost(recipe.learner)
    if isinstance(learner, Sklearn):
        return learner.features or pool.form.kind in ("tokens", "other")
    return isinstance(learner, Linear)


def digest_of(file: Path) -> str:
    """sha256 of a file, read piece by piece."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def copy_model(model: ModelFolder, folder: Path) -> None:
    """Copies the files that a saved model is opened from."""
    folder.mkdir()
    for file in model.files:
        shutil.copyfile(file, folder / file.name)


def _dumped(estimator: Any) -> bytes:
    try:
        from skops.io import dumps
    except ImportError:
        raise MissingExtra("skops", "sklearn-models") from None
    content: bytes = dumps(estimator)
    return content
