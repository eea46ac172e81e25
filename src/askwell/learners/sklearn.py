"""Any scikit-learn classifier or regressor as a learner."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, ClassVar

import numpy as np

from askwell.core.pool import Form
from askwell.core.registry import find
from askwell.core.scheme import Scheme
from askwell.core.task import Task
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.learners.estimator import SklearnLearner

__all__ = ["SHORT", "Sklearn", "SklearnLearner", "is_estimator"]

SHORT = {
    "bagging": ("sklearn.ensemble:BaggingClassifier", "sklearn.ensemble:BaggingRegressor"),
    "extra_trees": ("sklearn.ensemble:ExtraTreesClassifier", "sklearn.ensemble:ExtraTreesRegressor"),
    "gradient_boosting": (
        "sklearn.ensemble:HistGradientBoostingClassifier", "sklearn.ensemble:HistGradientBoostingRegressor",
    ),
    "k_neighbors": ("sklearn.neighbors:KNeighborsClassifier", "sklearn.neighbors:KNeighborsRegressor"),
    "logistic_regression": ("sklearn.linear_model:LogisticRegression", ""),
    "mlp": ("sklearn.neural_network:MLPClassifier", "sklearn.neural_network:MLPRegressor"),
    "naive_bayes": ("sklearn.naive_bayes:GaussianNB", ""),
    "random_forest": ("sklearn.ensemble:RandomForestClassifier", "sklearn.ensemble:RandomForestRegressor"),
    "ridge": ("sklearn.linear_model:RidgeClassifier", "sklearn.linear_model:Ridge"),
    "svm": ("sklearn.svm:SVC", "sklearn.svm:SVR"),
}  # fmt: skip
"""name -> classifier and regressor."""
SCALED = ("mlp", "svm")
"""Short names whose regressors have settings that are meant for labels of deviation 1."""
STEPS = ("drop", "passthrough")
"""What may stand where a list of named estimators has an estimator."""


@dataclass(frozen=True)
class Sklearn:
    """Fits a scikit-learn estimator on the labelled items, from scratch in every round.

    estimator  "module:Class" of a classifier or regressor, or a short name such as "random_forest", which is the one or
               the other by the task
    settings   (name, value) pairs of its constructor, or a mapping; an inner estimator, also in a list of named ones,
               is another `Sklearn`, or the estimator itself. Lists are kept as tuples
    features   read `pool.features()` in place of flattened items; texts and other odd forms always do

    A classifier gives `probs` by `predict_proba`. One that has only `decision_function` gives its values as `logits`,
    -d/2 and d/2 of two classes, and their softmax, which nobody has calibrated, as `probs`. A class without a label has
    probability 0; with one class labelled that class is certain. Of items with several labels each label's probability
    is `label_probs`: estimators that take (n, C) targets learn all labels at once, others get a copy per label. A
    regressor gives `predictions`; "svm" and "mlp" learn labels of mean 0 and deviation 1 and scale them back,
    estimators by their class learn them as they are, so that `SVR(epsilon=5)` keeps its meaning. Forests and bagging
    also give one draw per member, the first K of them: `mc_probs`, `mc_label_probs` or `mc_predictions`.

    Every `random_state` left open is seeded. Saved as the labelled rows, and fitted again on them by `load`: no pickle.

    >>> Sklearn("random_forest", {"n_estimators": 50})
    Sklearn(estimator='random_forest', settings=(('n_estimators', 50),), features=False)
    """

    uses_scheme: ClassVar[bool] = False

    estimator: str = "sklearn.linear_model:LogisticRegression"
    settings: tuple[tuple[str, Any], ...] = ()
    features: bool = False

    def __post_init__(self) -> None:
        pairs = self.settings.items() if isinstance(self.settings, Mapping) else self.settings
        written = tuple((str(name), self._written(str(name), value)) for name, value in pairs)
        object.__setattr__(self, "settings", written)

    @classmethod
    def of(cls, estimator: Any, features: bool = False) -> Sklearn:
        """The factory of an estimator, given as an instance, fitted or not, or as a class.

        Its settings that are not the defaults are kept, inner estimators included; what cannot be written as JSON, such
        as a function, is refused by name.

        >>> from sklearn.svm import SVC
        >>> Sklearn.of(SVC(C=2.0))
        Sklearn(estimator='sklearn.svm:SVC', settings=(('C', 2.0),), features=False)
        """
        kind = estimator if isinstance(estimator, type) else type(estimator)
        given = {} if kind is estimator else estimator.get_params(deep=False)
        usual = {name: one.default for name, one in _arguments(kind).items()}
        changed = {name: value for name, value in given.items() if not _same(value, usual.get(name))}
        return cls(_address(kind), tuple(changed.items()), features)

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> SklearnLearner:
        """A learner that has not been fitted; refuses an estimator that cannot learn the task's labels."""
        if scheme is not None:
            raise UnmetNeeds(f"learner {self!r} has its own way to fit and takes no scheme, got {scheme!r}")
        return SklearnLearner(self, form, task)

    def make(self, numbers: bool = False) -> Any:
        """The estimator, not fitted; `numbers` makes a short name mean the regressor."""
        made = self._set(_class(self.estimator, numbers), numbers)
        return _scaled(made) if numbers and self.estimator in SCALED else made

    def _set(self, kind: Any, numbers: bool) -> Any:
        """An estimator of this class with the settings."""
        takes = _arguments(kind)
        values = {name: self._made(value, numbers, takes.get(name)) for name, value in self.settings}
        missing = [name for name, one in takes.items() if one.default is one.empty and name not in values]
        if missing:
            raise InputError(f"estimator {self.estimator!r} needs {', '.join(missing)}: give settings", got=missing)
        made = kind(**{name: value for name, value in values.items() if name in takes})
        inner = {name: value for name, value in values.items() if name not in takes}
        known = made.get_params() if inner else {}
        for name in inner:
            if name not in known:
                raise UnknownName(f"setting of {kind.__name__}:", name, known)
        return made.set_params(**inner) if inner else made

    def _made(self, value: Any, numbers: bool, argument: inspect.Parameter | None = None) -> Any:
        """A setting with its estimators made; tuples become lists again, but where the default is a tuple."""
        if isinstance(value, Sklearn):
            return value.make(numbers)
        if isinstance(value, Mapping):
            return {key: self._made(one, numbers) for key, one in value.items()}
        if not isinstance(value, tuple):
            return value
        parts = [self._made(one, numbers) for one in value]
        usual = argument is not None and isinstance(argument.default, tuple)
        return tuple(parts) if usual or _is_named(parts) else parts

    def _written(self, name: str, value: Any) -> Any:
        """A setting as it is kept: numbers, texts, tuples, mappings and factories of estimators."""
        if isinstance(value, list | tuple):
            return tuple(self._written(name, one) for one in value)
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {key: self._written(name, one) for key, one in value.items()}
        if is_estimator(value) or (hasattr(value, "get_params") and not isinstance(value, type)):
            return Sklearn.of(value)
        plain = value.item() if isinstance(value, np.generic) else value
        if plain is None or isinstance(plain, bool | int | float | str | Sklearn):
            return plain
        raise InputError(
            f"setting {name!r} of estimator {self.estimator!r} is a {type(value).__name__}, which cannot be written as "
            "JSON: give numbers, texts, lists or estimators, or a class of your own that sets it",
            got=value,
        )


def is_estimator(value: Any) -> bool:
    """Whether a value is a scikit-learn estimator, as an instance or as a class.

    >>> from sklearn.svm import SVC
    >>> is_estimator(SVC()), is_estimator(SVC), is_estimator("svm")
    (True, True, False)
    """
    return hasattr(value, "get_params") and hasattr(value, "fit")


def _class(name: str, numbers: bool) -> Any:
    if ":" in name:
        return find("estimator", name)
    if name not in SHORT:
        raise UnknownName("estimator", name, SHORT)
    address = SHORT[name][numbers]
    if not address:
        others = ", ".join(sorted(one for one, (_, regressor) in SHORT.items() if regressor))
        raise UnmetNeeds(f"estimator {name!r} learns classes and the labels are numbers: choose one of {others}")
    return find("estimator", address)


def _scaled(regressor: Any) -> Any:
    """The regressor on labels of mean 0 and deviation 1."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def _arguments(kind: Any) -> dict[str, inspect.Parameter]:
    """Arguments of a class that can be given by name."""
    found = inspect.signature(kind).parameters.values()
    return {one.name: one for one in found if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}


def _address(kind: type) -> str:
    """ "module:Class", by the shortest module that has it."""
    for module in _packages(kind.__module__):
        if getattr(sys.modules.get(module), kind.__name__, None) is kind:
            return f"{module}:{kind.__name__}"
    raise InputError(
        f"estimator {kind.__qualname__!r} cannot be found by name: move it to the top level of a module", got=kind
    )


def _packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _same(value: Any, other: Any) -> bool:
    """Whether a setting is its default; NaN is NaN."""
    if isinstance(value, float) and isinstance(other, float) and isnan(value):
        return isnan(other)
    return value is other or (type(value) is type(other) and not is_estimator(value) and bool(value == other))


def _is_named(parts: list[Any]) -> bool:
    """Whether it is (name, estimator, …), an entry of a list of named estimators."""
    return len(parts) > 1 and isinstance(parts[0], str) and (is_estimator(parts[1]) or parts[1] in STEPS)
