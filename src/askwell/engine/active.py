"""Active learning as a scikit-learn classifier: `fit` on what is labelled, `query` for what to label next."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from askwell.core.learner import Job, Learner
from askwell.core.needs import COST, LABELS, Over
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.data import ArrayPool, Data, Split
from askwell.engine.assemble import assemble, check, task_for
from askwell.engine.compute import Source
from askwell.engine.device import resolved_device
from askwell.engine.numbers import whole
from askwell.engine.stopwatch import Stopwatch
from askwell.errors import InputError, UnmetNeeds

__all__ = ["ActiveClassifier"]

NONE = np.empty(0, np.int64)


class ActiveClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """A scikit-learn classifier that also says which rows to label next.

    strategy      chooses among the rows without a label: a part or its text, such as "badge"
    scheme        how a network trains; model: which one, an MLP unless given; learner: what stands in its place, like
                  "linear" or "sklearn(estimator=random_forest)". Parts or text, as `askwell.run` takes them
    missing       a value of y that marks a row without a label, beside None and NaN
    random_state  seeds weights, order of training and the choice; the same number, the same rows and probabilities
    device        cpu, cuda, cuda:1, …, or auto

    Columns are brought to mean 0 and deviation 1 by all rows that `fit` sees, labelled or not. `classes_` are the
    labels that occur, sorted. Parts that do not fit together raise `UnmetNeeds` at `fit`. A fit costs what its learner
    costs, whatever the number of rows without a label, unless its scheme uses them.

    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> truth = np.where(X[:, 0] + X[:, 1] > 0, "right", "left")
    >>> y = np.array([label if row < 8 else None for row, label in enumerate(truth)])
    >>> model = ActiveClassifier("margin", learner="linear", random_state=0)
    >>> rows = model.fit(X, y).query(5)
    >>> y[rows] = truth[rows]
    >>> model.fit(X, y).score(X, truth)
    0.9...
    """

    def __init__(
        self,
        strategy: Any = "margin",
        scheme: Any = None,
        model: Any = None,
        learner: Any = None,
        *,
        missing: Any = None,
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.strategy = strategy
        self.scheme = scheme
        self.model = model
        self.learner = learner
        self.missing = missing
        self.random_state = random_state
        self.device = device

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Trains on the rows of X (n, D) that have a label in y (n,); the others are what `query` chooses from."""
        rows = validate_data(self, X, dtype=(np.float64, np.float32))
        labels = self._column(y, len(rows))
        unlabelled = self._unlabelled(labels)
        known = _plain(labels[~unlabelled])
        _check(known)
        self.classes_, codes = np.unique(known, return_inverse=True)
        self._seeds = Seeds(int(check_random_state(self.random_state).randint(2**31 - 1)))
        self._scaler = StandardScaler().fit(rows)
        self._pool = self._served(rows)
        self._labelled, self._codes = np.flatnonzero(~unlabelled), torch.from_numpy(codes.astype(np.int64))
        self._recipe = self._parts()
        self._learner = self._fitted(np.flatnonzero(unlabelled)) if len(self.classes_) > 1 else None
        return self

    def query(self, n: int = 1) -> NDArray[np.int64]:
        """Rows of the fitted X to label next, (n,) in order of preference, none of which has a label.

        The same fit gives the same rows. Where only one class has a label yet the choice is random. Raises
        `PoolExhausted` when fewer than n rows are without a label.
        """
        check_is_fitted(self)
        strategy: Strategy = self._recipe.initial if self._learner is None else self._recipe.strategy
        batch = strategy.select(self._view(strategy), whole("n", n), self._seeds.torch("select", len(self._labelled)))
        chosen: NDArray[np.int64] = batch.ids.cpu().numpy()
        return chosen

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities (n, C) of `classes_`, rows that sum to one."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        if self._learner is None:
            return np.ones((len(rows), 1))
        probs = self._learner.predict(self._served(rows), torch.arange(len(rows))).double()
        found: NDArray[np.float64] = (probs / probs.sum(1, keepdim=True)).cpu().numpy()
        return found

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """The most probable class of each row, (n,)."""
        probs = self.predict_proba(X)
        chosen: NDArray[Any] = self.classes_[probs.argmax(1)]
        return chosen

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803
        """Accuracy on the rows that have a label in y."""
        labels = column_or_1d(_array(y))
        known = ~self._unlabelled(labels)
        weights = None if sample_weight is None else np.asarray(sample_weight)[known]
        rows = X.iloc[known] if hasattr(X, "iloc") else np.asarray(X)[known]
        return float(super().score(rows, _plain(labels[known]), weights))

    def _column(self, y: ArrayLike, rows: int) -> NDArray[Any]:
        if y is None:
            raise InputError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        labels: NDArray[Any] = column_or_1d(_array(y), warn=True)
        check_consistent_length(range(rows), labels)
        return labels

    def _unlabelled(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        return np.array([_absent(label) or _same(label, self.missing) for label in labels.tolist()], bool)

    def _served(self, rows: NDArray[Any]) -> ArrayPool:
        """Rows as items, on the scale of the fitted rows."""
        scaled = self._scaler.transform(rows).astype(np.float32)
        return ArrayPool(scaled, features=scaled)

    def _parts(self) -> Recipe:
        """The recipe of these parts, refused if they do not fit each other or the rows."""
        recipe = assemble(
            None, form=self._pool.form,
            strategy=self.strategy, scheme=self.scheme, model=self.model, learner=self.learner,
        )  # fmt: skip
        if recipe.strategy.asks == "made":
            raise UnmetNeeds(f"strategy {recipe.strategy.name!r} makes items of its own, which are no rows of X")
        names = [str(place) for place in range(max(2, len(self.classes_)))]
        split = Split(np.arange(len(self._pool)), NONE, NONE)
        check(recipe, Data("X", "", {}, self._pool, tuple(names), None, split), resolved_device(self.device))
        return recipe

    def _fitted(self, unlabelled: NDArray[np.int64]) -> Learner:
        task = task_for(self._recipe, [str(place) for place in range(len(self.classes_))])
        learner = self._recipe.learner.build(self._pool.form, task, self._recipe.scheme, resolved_device(self.device))
        labelled, none = torch.from_numpy(self._labelled), torch.from_numpy(NONE)
        job = Job(labelled, self._codes, torch.from_numpy(unlabelled), none, task.encode([]), batches=(labelled,))
        learner.fit(self._pool, job, self._seeds.child("fit"))
        return learner

    def _view(self, strategy: Strategy) -> View:
        tables = {LABELS: self._label_table, COST: _cost_table}
        lacking = [str(need) for need in strategy.needs if need.kind == "table" and need not in tables]
        if lacking:
            raise UnmetNeeds(
                f"strategy {strategy.name!r} needs {', '.join(lacking)}, which only a project has", lacking
            )
        seeds, folder = self._seeds.child("compute"), Path(tempfile.gettempdir())
        return View(
            torch.from_numpy(np.setdiff1d(np.arange(len(self._pool)), self._labelled)),
            strategy.needs,
            Source(self._pool, self._learner, tables, seeds, Stopwatch(), folder),
            sets={"labelled": torch.from_numpy(self._labelled)},
            num_classes=len(self.classes_),
        )

    def _label_table(self, sets: Mapping[Over, Tensor]) -> Tensor:
        return self._codes


def _cost_table(sets: Mapping[Over, Tensor]) -> Tensor:
    return torch.ones(len(sets["candidates"]))


def _array(y: ArrayLike) -> NDArray[Any]:
    """Labels as they are: a list that mixes texts and NaN does not become texts."""
    return np.array(y, dtype=object) if isinstance(y, list | tuple) else np.asarray(y)


def _check(labels: NDArray[Any]) -> None:
    """Refuses no labels at all, infinity, and what is no class."""
    if not len(labels):
        raise InputError("y has no label: label at least one row before the first fit, any will do")
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise InputError("y holds infinity, which is no class", got=labels)
    check_classification_targets(labels)


def _absent(label: Any) -> bool:
    return label is None or type(label).__name__ == "NAType" or (isinstance(label, float) and label != label)


def _same(label: Any, missing: Any) -> bool:
    """Whether a label is the one that marks none; -1 is -1.0, and True is not 1."""
    if _absent(missing) or isinstance(label, bool) != isinstance(missing, bool):
        return False
    return bool(label == missing)


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    """Objects as the plainest type that holds them all: texts, whole numbers."""
    if labels.dtype != object:
        return labels
    if len({isinstance(label, str) for label in labels.tolist()}) > 1:
        raise InputError("y mixes texts and numbers: give labels of one type", got=labels)
    return np.array(labels.tolist())
