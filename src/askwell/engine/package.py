"""A project's model as a folder that can be used without the project: weights, classes, metrics, card; no pickle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
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
from askwell.learners.sklearn import SklearnLearner
from askwell.models.folder import ModelFolder

__all__ = ["BASE", "DESCRIPTION", "ESTIMATOR", "FORMAT", "FROZEN", "WEIGHTS", "Package"]

FORMAT = 1
DESCRIPTION, WEIGHTS, ESTIMATOR, CARD = "askwell.json", "model.safetensors", "model.skops", "README.md"
BASE, FROZEN = "base", "features"
"""Folders of the saved model that was fine-tuned, and of the one whose embeddings are the features."""


@dataclass(frozen=True)
class Package:
    """A fitted model, and what it is used with and described by.

    askwell.json       what built it: learner, scheme, task, classes, strategy; labels, metrics, temperature, data hash
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
        if isinstance(self.recipe.learner, Transformer):
            copy_model(self.recipe.learner.folder, folder / BASE)
        hashes = self._model(folder)
        about = self._about(serving, hashes)
        (folder / DESCRIPTION).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        (folder / CARD).write_text(card(about), encoding="utf-8")

    def _model(self, folder: Path) -> dict[str, str]:
        """Writes the fitted model and returns the hash of each of its files."""
        if not isinstance(self.learner, SklearnLearner):
            return {WEIGHTS: self.learner.save(folder / WEIGHTS)}
        content = _dumped(self.learner.estimator)
        (folder / ESTIMATOR).write_bytes(content)
        return {ESTIMATOR: sha256(content).hexdigest()}

    def _about(self, serving: Serving | None, hashes: Mapping[str, str]) -> dict[str, Any]:
        learner, report = config(self.recipe.learner), self.report
        if isinstance(self.recipe.learner, Transformer):
            learner["path"] = BASE
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
            "files": dict(hashes),
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


def reads_features(recipe: Recipe, pool: Pool) -> bool:
    """Whether the recipe's learner reads fixed features rather than items."""
    learner = recipe.learner
    if isinstance(learner, Sklearn):
        return learner.features or pool.form.kind in ("tokens", "other")
    return isinstance(learner, Linear)


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
