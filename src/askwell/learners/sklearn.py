"""Any scikit-learn classifier as a learner."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import MC_PROBS, PROBS, Need, Over
from askwell.core.pool import Form, Pool
from askwell.core.registry import find
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.spec import config, digest
from askwell.core.task import Task
from askwell.errors import BadData, InputError, UnknownName, UnmetNeeds
from askwell.learners.collect import collect
from askwell.learners.weights import read, write

__all__ = ["Sklearn", "SklearnLearner"]

ROWS = 4096
SHORT = {
    "bagging": "sklearn.ensemble:BaggingClassifier",
    "extra_trees": "sklearn.ensemble:ExtraTreesClassifier",
    "gradient_boosting": "sklearn.ensemble:HistGradientBoostingClassifier",
    "k_neighbors": "sklearn.neighbors:KNeighborsClassifier",
    "logistic_regression": "sklearn.linear_model:LogisticRegression",
    "mlp": "sklearn.neural_network:MLPClassifier",
    "naive_bayes": "sklearn.naive_bayes:GaussianNB",
    "random_forest": "sklearn.ensemble:RandomForestClassifier",
}
COMMITTEES = ("bagging", "extra_trees", "random_forest")
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Sklearn:
    """Fits a scikit-learn classifier on the labelled items, from scratch in every round.

    estimator  "module:Class" of a classifier with `predict_proba`, or a short name such as "random_forest"
    settings   (name, value) pairs of its constructor, or a mapping; an inner estimator is another `Sklearn`
    features   read `pool.features()` in place of flattened items; texts and other odd forms always do

    Provides `probs`; forests and bagging also `mc_probs`, one draw per member, the first K of them. A class without a
    label has probability 0; with one class labelled that class is certain. Every `random_state` left open is seeded.
    Saved as the labelled rows, and fitted again on them by `load`: no pickle.

    >>> Sklearn("random_forest", {"n_estimators": 50})
    Sklearn(estimator='random_forest', settings=(('n_estimators', 50),), features=False)
    """

    uses_scheme: ClassVar[bool] = False

    estimator: str = "sklearn.linear_model:LogisticRegression"
    settings: tuple[tuple[str, Any], ...] = ()
    features: bool = False

    def __post_init__(self) -> None:
        pairs = self.settings.items() if isinstance(self.settings, Mapping) else self.settings
        object.__setattr__(self, "settings", tuple((str(name), value) for name, value in pairs))

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> SklearnLearner:
        """A learner that has not been fitted; refuses tasks without classes and estimators without probabilities."""
        if scheme is not None:
            raise UnmetNeeds(f"learner {self!r} has its own way to fit and takes no scheme, got {scheme!r}")
        if task.num_classes is None:
            raise UnmetNeeds(f"learner {self!r} classifies and task {task!r} has no classes")
        return SklearnLearner(self, form, task)

    def make(self) -> Any:
        """The estimator, not fitted."""
        made = _class(self.estimator)()
        known = made.get_params()
        for name, _ in self.settings:
            if name not in known:
                raise UnknownName(f"setting of {type(made).__name__}:", name, known)
        return made.set_params(
            **{name: value.make() if isinstance(value, Sklearn) else value for name, value in self.settings}
        )


class SklearnLearner(Learner):
    """A fitted classifier and the rows that it was fitted on."""

    def __init__(self, factory: Sklearn, form: Form, task: Task) -> None:
        self.factory, self.form, self.classes = factory, form, int(task.num_classes or 0)
        self.prototype = factory.make()
        if not hasattr(self.prototype, "predict_proba"):
            raise UnmetNeeds(
                f"estimator {factory.estimator!r} gives no probabilities: choose one with predict_proba, "
                "or put sklearn.calibration:CalibratedClassifierCV around it",
                [PROBS.name],
            )
        self._held: dict[str, Tensor] = {}
        self._seen: NDArray[np.int64] = np.empty(0, np.int64)
        self._model: Any = None

    @property
    def provides(self) -> Set[str]:
        committee = isinstance(self.prototype, tuple(_class(SHORT[name]) for name in COMMITTEES))
        return {PROBS.name, MC_PROBS.name} if committee else {PROBS.name}

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        if not len(job.labelled):
            raise InputError(f"{type(self.prototype).__name__} cannot be fitted on no labelled items")
        held = {
            "inputs": torch.from_numpy(self._inputs(pool, job.labelled)),
            "targets": job.targets.cpu(),
            "seed": torch.tensor(seeds("fit") % (1 << 32)),
        }
        return self._fit(held if job.weights is None else {**held, "weights": job.weights.cpu()})

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        found: dict[Need, Any] = {}
        for over in dict.fromkeys(need.over for need in needs):
            wanted = [need for need in needs if need.over == over]
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            found |= collect(ids, ROWS, lambda some, wanted=wanted: self._rows(pool, wanted, some), out)  # type: ignore[misc] # bound default
        return found

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        return collect(ids, ROWS, lambda some: self._rows(pool, [PROBS], some))[PROBS]

    def state(self) -> dict[str, Tensor]:
        return dict(self._held)

    def save(self, path: Path) -> str:
        about = json.dumps(self._about(), sort_keys=True).encode()
        return write(path, {**self.state(), "about": torch.tensor(list(about), dtype=torch.uint8)})

    def load(self, path: Path) -> None:
        values, own = read(path), self._about()
        about = json.loads(bytes(values.pop("about").tolist())) if "about" in values else {}
        if any(about.get(name) != own[name] for name in ("learner", "classes")):
            raise BadData(f"{path} was not saved by {self.factory!r} over {self.classes} classes", got=about)
        if about["sklearn"] != own["sklearn"]:
            warnings.warn(
                f"{path} was fitted by scikit-learn {about['sklearn']} and is fitted again by {own['sklearn']}: "
                "probabilities may differ",
                stacklevel=2,
            )
        self._fit(values)

    def _about(self) -> dict[str, Any]:
        version = importlib.import_module("sklearn").__version__
        return {"learner": config(self.factory), "classes": self.classes, "sklearn": version}

    def _fit(self, held: dict[str, Tensor]) -> FitReport:
        """Fits on the held rows: what was saved leads to the same classifier."""
        self._held = held
        self._seen, codes = np.unique(held["targets"].numpy(), return_inverse=True)
        said: list[str] = []
        self._model = None if len(self._seen) == 1 else self._fitted(codes, said)
        notes = {"classes_seen": len(self._seen), **({"warnings": said} if said else {})}
        return FitReport(steps=1, stopped="fitted", rehearsal=digest(self._about()), notes=notes)

    def _fitted(self, codes: NDArray[np.int64], said: list[str]) -> Any:
        """A fresh estimator on codes 0..m-1 of the classes seen; its warnings go to the report."""
        from sklearn.base import clone

        model = clone(self.prototype)
        model.set_params(**_random_states(model, int(self._held["seed"])))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model.fit(self._held["inputs"].numpy(), codes, **self._weights(model))
            except ValueError as error:
                raise InputError(
                    f"{type(model).__name__} cannot be fitted on {len(codes)} labelled items: {error}"
                ) from error
        said += dict.fromkeys(str(one.message).split("\n")[0] for one in caught)
        return model

    def _weights(self, model: Any) -> dict[str, Any]:
        from sklearn.utils.validation import has_fit_parameter

        if "weights" not in self._held:
            return {}
        if not has_fit_parameter(model, "sample_weight"):
            raise UnmetNeeds(f"{type(model).__name__} cannot weigh items: its fit() takes no sample_weight")
        return {"sample_weight": self._held["weights"].numpy()}

    def _rows(self, pool: Pool, needs: Sequence[Need], ids: Tensor) -> dict[Need, Tensor]:
        if not self._held:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        rows = self._inputs(pool, ids)
        return {need: self._probs(rows) if need.name == PROBS.name else self._members(need, rows) for need in needs}

    def _probs(self, rows: Rows) -> Tensor:
        """(n, C) by the whole estimator."""
        return self._spread(None if self._model is None else self._model.predict_proba(rows), rows)

    def _members(self, need: Need, rows: Rows) -> Tensor:
        """(n, K, C) by the first K members."""
        draws = int(need["draws"])
        if self._model is None:
            return self._spread(None, rows).unsqueeze(1).repeat(1, draws, 1)
        members, columns = self._model.estimators_, getattr(self._model, "estimators_features_", None)
        if draws > len(members):
            raise UnmetNeeds(
                f"{need} needs {draws} members and {type(self._model).__name__} has {len(members)}: "
                f"set n_estimators to {draws} or more",
                [str(need)],
            )
        return torch.stack([self._member(members[k], columns and columns[k], rows) for k in range(draws)], 1)

    def _member(self, member: Any, columns: Any, rows: Rows) -> Tensor:
        found = member.predict_proba(rows if columns is None else rows[:, columns])
        return self._spread(found, rows, np.asarray(member.classes_, np.int64))

    def _spread(self, probs: Any, rows: Rows, codes: NDArray[np.int64] | None = None) -> Tensor:
        """(n, C) float32: columns of the classes seen; certainty of the first class seen where there are no `probs`."""
        spread = torch.zeros(len(rows), self.classes)
        columns = self._seen if codes is None else self._seen[codes]
        if probs is None:
            spread[:, int(self._seen[0])] = 1
        else:
            spread[:, torch.from_numpy(columns)] = torch.from_numpy(np.asarray(probs, np.float32))
        return spread

    def _inputs(self, pool: Pool, ids: Tensor) -> Rows:
        """(n, D) flattened eval items, or fixed features."""
        if self.factory.features or self.form.kind in ("tokens", "other"):
            features = pool.features()
            if features is None:
                raise UnmetNeeds(f"learner {self.factory!r} reads fixed features and there are none", ["features"])
            chosen: Rows = features[ids.cpu().numpy()]
            return chosen
        items = [batch.flatten(1) for _, batch in pool.items("eval").batches(ids, ROWS + 1)]
        rows: Rows = torch.cat(items).numpy()
        return rows


def _class(name: str) -> Any:
    address = SHORT.get(name, name)
    if ":" not in address:
        raise UnknownName("estimator", name, SHORT)
    return find("estimator", address)


def _random_states(model: Any, seed: int) -> dict[str, int]:
    """A seed for every random_state that was left open, also of parts."""
    params = model.get_params()
    return {name: seed for name, value in params.items() if name.split("__")[-1] == "random_state" and value is None}
