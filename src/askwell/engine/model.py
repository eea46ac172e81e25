"""A model that `Project.export_model` has written, without its project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
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
from askwell.engine.package import BASE, DESCRIPTION, ESTIMATOR, FORMAT, FROZEN, WEIGHTS
from askwell.engine.predict import Predictions, predicted
from askwell.errors import BadData, BadShape, InputError, MissingExtra
from askwell.learners.sklearn import SklearnLearner

__all__ = ["Model", "load_model"]

OURS = ("askwell", "sklearn", "torch.nn")
KNOWN = ("sklearn", "numpy", "scipy")
"""Where the types of a saved estimator may come from."""


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model and all that it needs to read new items.

    about        what `askwell.json` says: classes, metrics, labels, data hash, versions
    temperature  of its probabilities
    """

    about: Mapping[str, Any]
    task: Task
    learner: Learner
    like: Pool | None

    @property
    def temperature(self) -> float:
        """By which probabilities are calibrated; 1 where they are not."""
        return float(self.about["temperature"])

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
    trusted  modules beside askwell, scikit-learn and torch.nn that the model may import, such as the one of your own
             network or estimator: what a folder names is run, so that it is refused unless it is named here
    Raises `BadData` for a folder that is damaged, changed, or written by a newer askwell.
    """
    folder = Path(path)
    about = _about(folder)
    for module in _modules([about["learner"], about["scheme"], about["task"]]):
        if not _below(module, (*OURS, *trusted)):
            raise BadData(
                f"the model in {folder} runs code of the module {module!r}: if you trust it, "
                f"load_model(…, trusted=[{module!r}])",
                got=module,
            )
    task = task_named(about["task"], about["classes"])
    learner = _learner(folder, about, task, resolved_device(device), trusted)
    like = None if about["items"] is None else Serving.read(folder, folder / FROZEN).pool()
    return Model(about, task, learner, like)


def _about(folder: Path) -> dict[str, Any]:
    """askwell.json, with the files that it names checked by their hashes."""
    try:
        about: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        newer = about["format"] > FORMAT
    except OSError:
        raise BadData(f"{folder} holds no exported model: it has no {DESCRIPTION}", got=str(folder)) from None
    except (ValueError, KeyError, TypeError):
        raise BadData(f"{folder / DESCRIPTION} is damaged: it does not describe a model", got=str(folder)) from None
    if newer:
        raise BadData(f"{folder} was written by a newer askwell ({about.get('versions')}): update askwell")
    for name, known in about["files"].items():
        if not (folder / name).is_file() or sha256((folder / name).read_bytes()).hexdigest() != known:
            raise BadData(f"{folder / name} is missing or is not the file that was exported", got=name)
    return about


def _learner(folder: Path, about: Mapping[str, Any], task: Task, device: str, trusted: Sequence[str]) -> Learner:
    spec = dict(about["learner"])
    if spec.get("path") == BASE:
        spec["path"] = str(folder / BASE)
    learner: Learner = build("learners", spec).build(_form(about), task, build("schemes", about["scheme"]), device)
    if not isinstance(learner, SklearnLearner):
        learner.load(folder / WEIGHTS)
        return learner
    learner.serve(_estimator(folder / ESTIMATOR, trusted), torch.tensor(about["seen"], dtype=torch.int64))
    return learner


def _estimator(path: Path, trusted: Sequence[str]) -> Any:
    """A scikit-learn estimator, made of types of scikit-learn, numpy, scipy and what is trusted alone."""
    try:
        from skops.io import get_untrusted_types, load
    except ImportError:
        raise MissingExtra("skops", "sklearn-models") from None
    unknown = get_untrusted_types(file=path)
    strange = [name for name in unknown if not _below(name, (*KNOWN, *trusted))]
    if strange:
        raise BadData(
            f"the estimator in {path} is made of {strange[0]!r}, which is of neither scikit-learn, numpy nor scipy: if "
            f"you trust it, load_model(…, trusted=[{strange[0].rpartition('.')[0]!r}])",
            got=strange,
        )
    return load(path, trusted=unknown)


def _form(about: Mapping[str, Any]) -> Form:
    return Form(**{**about["form"], "shape": tuple(about["form"]["shape"])})


def _below(name: str, modules: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


def _modules(spec: Any) -> Iterator[str]:
    """Modules that a description names, as in "module:Class"."""
    if isinstance(spec, Mapping):
        spec = list(spec.values())
    if isinstance(spec, list):
        for value in spec:
            yield from _modules(value)
    elif isinstance(spec, str) and ":" in spec:
        yield spec.partition(":")[0]
