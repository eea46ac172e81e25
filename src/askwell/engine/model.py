"""A model that `Project.export_model` has written, without its project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from askwell.core.learner import Learner
from askwell.core.pool import Form, Pool
from askwell.core.spec import build
from askwell.core.task import Task
from askwell.data.load import items_like
from askwell.data.serving import Serving
from askwell.engine.assemble import task_named
from askwell.engine.device import resolved_device
from askwell.engine.package import BASE, DESCRIPTION, ESTIMATOR, FORMAT, FROZEN, WEIGHTS, based, digest_of
from askwell.engine.predict import Predictions, predicted
from askwell.engine.trust import foreign_code, foreign_types
from askwell.errors import AskwellError, BadData, BadShape, InputError, MissingExtra
from askwell.learners.sklearn import SklearnLearner

__all__ = ["Model", "load_model"]


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model and all that it needs to read new items.

    about        what `askwell.json` says: classes, metrics, labels, data hash, versions
    temperature  by which probabilities are calibrated; 1 where they are not
    """

    about: Mapping[str, Any] = field(repr=False)
    task: Task
    learner: Learner = field(repr=False)
    like: Pool | None = field(repr=False)
    temperature: float

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities; none for numbers."""
        return self.task.labels

    def predict(self, data: Any, *, calibrate: bool = True, loading: Mapping[str, Any] | None = None) -> Predictions:
        """What `Project.predict` says of these items, bit for bit on the same versions and number of threads.

        data  whatever `askwell.data.load` takes, with `loading` as its further arguments
        """
        pool = self._items(data, loading or {})
        if pool.form != self.form:
            raise BadShape(f"these items have the form {pool.form}, the model takes {self.form}", got=pool.form)
        return predicted(self.learner, pool, torch.arange(len(pool)), self.task, self.temperature if calibrate else 1.0)

    @cached_property
    def form(self) -> Form:
        """What one item looks like as a tensor."""
        return _form(self.about)

    def _items(self, data: Any, loading: Mapping[str, Any]) -> Pool:
        if self.like is not None:
            return items_like(data, self.like, self.about["reading"], **loading)
        if not isinstance(data, Pool):
            raise InputError(
                "this model was trained on a pool of somebody's own: give such a pool to predict, "
                f"got a {type(data).__name__}",
                got=data,
            )
        return data


def load_model(path: str | Path, *, device: str = "cpu", trusted: Sequence[str] = ()) -> Model:
    """The model in a folder that `Project.export_model` wrote; needs no project, and unpickles nothing.

    device   cpu, cuda, cuda:1, …, or auto
    trusted  modules of which the model may run anything, such as the one of your own network or estimator; beside them
             it may name estimators of scikit-learn and modules of torch.nn, and is refused if it names anything else
    Raises `BadData` for a folder that is damaged, changed, or written by a newer askwell.
    """
    folder = Path(path)
    about = _about(folder)
    with _described(folder):
        _check_code(folder, about, trusted)
        task = task_named(about["task"], about["classes"])
        learner = _learner(folder, about, task, resolved_device(device), trusted)
        like = None if about["items"] is None else Serving.read(folder, folder / FROZEN).pool()
        return Model(about, task, learner, like, float(about["temperature"]))


@contextmanager
def _described(folder: Path) -> Iterator[None]:
    """Inside, a description that makes no sense is damaged."""
    try:
        yield
    except AskwellError:
        raise
    except (AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
        raise BadData(f"{folder / DESCRIPTION} is damaged: it does not describe a model", got=str(folder)) from error


def _check_code(folder: Path, about: Mapping[str, Any], trusted: Sequence[str]) -> None:
    for address in foreign_code([about["learner"], about["scheme"], about["task"]], trusted):
        module = address.partition(":")[0]
        raise BadData(
            f"the model in {folder} runs {address!r}: if you trust that module, load_model(…, trusted=[{module!r}])",
            got=address,
        )


def _about(folder: Path) -> dict[str, Any]:
    """askwell.json, with the files that it names checked by their hashes."""
    with _described(folder):
        try:
            about: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        except OSError:
            raise BadData(f"{folder} holds no exported model: it has no {DESCRIPTION}", got=str(folder)) from None
        if about["format"] > FORMAT:
            raise BadData(f"{folder} was written by a newer askwell ({about.get('versions')}): update askwell")
        for name, known in about["files"].items():
            if not (folder / name).is_file() or digest_of(folder / name) != known:
                raise BadData(f"{folder / name} is missing or is not the file that was exported", got=name)
    return about


def _learner(folder: Path, about: Mapping[str, Any], task: Task, device: str, trusted: Sequence[str]) -> Learner:
    spec = based(about["learner"], str(folder / BASE))
    learner: Learner = build("learners", spec).build(_form(about), task, build("schemes", about["scheme"]), device)
    if not isinstance(learner, SklearnLearner):
        learner.load(folder / WEIGHTS)
        return learner
    learner.serve(_estimator(folder / ESTIMATOR, trusted), torch.tensor(about["seen"], dtype=torch.int64))
    return learner


def _estimator(path: Path, trusted: Sequence[str]) -> Any:
    """A scikit-learn estimator, made of types of scikit-learn and of what is trusted alone."""
    try:
        from skops.io import get_untrusted_types, load
    except ImportError:
        raise MissingExtra("skops", "sklearn-models") from None
    unknown = get_untrusted_types(file=path)
    strange = foreign_types(unknown, trusted)
    if strange:
        raise BadData(
            f"the estimator in {path} is made of {strange[0]!r}, which is no type of scikit-learn: if you trust it, "
            f"load_model(…, trusted=[{strange[0].rpartition('.')[0]!r}])",
            got=strange,
        )
    return load(path, trusted=unknown)


def _form(about: Mapping[str, Any]) -> Form:
    return Form(**{**about["form"], "shape": tuple(about["form"]["shape"])})
