"""What a fitted scikit-learn estimator says, as the tensors of a task: one class, several labels, numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.needs import LABEL_PROBS, MC_LABEL_PROBS, MC_PREDICTIONS, MC_PROBS, PREDICTIONS, PROBS, Need
from askwell.core.task import Task
from askwell.errors import UnmetNeeds

__all__ = ["Answers", "Numbers", "One", "Several", "answers_to", "has_probabilities", "members", "tag"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FAR = 1000.0
"""How far the logit of a class without a label lies below the others: its probability is exactly 0."""


class Answers(ABC):
    """One way to answer, for one fit.

    targets  (M, …) as `Task.encode` has them; width: C classes or labels, or T numbers
    plain    the need that the whole estimator answers; drawn: the one that its members do
    """

    plain: ClassVar[Need]
    drawn: ClassVar[Need]

    def __init__(self, targets: Tensor, width: int) -> None:
        self.targets, self.width = targets.numpy(), width

    @property
    @abstractmethod
    def lesson(self) -> NDArray[Any] | None:
        """What the estimator is fitted on; None where the answer is known without a fit."""

    @property
    @abstractmethod
    def seen(self) -> Tensor:
        """int64: as targets, all that answering needs to know of those of the fit."""

    @property
    def notes(self) -> Mapping[str, int]:
        """What the report of the fit says about the labels."""
        return {}

    def around(self, estimator: Any) -> Any:
        """The estimator, wrapped if it cannot learn these labels by itself."""
        return estimator

    @abstractmethod
    def whole(self, model: Any, rows: Rows) -> Tensor:
        """(n, width) float32 by the fitted estimator, which is None where there was no lesson."""

    @abstractmethod
    def member(self, model: Any, rows: Rows, draw: int) -> Tensor:
        """(n, width) float32 by one member of the fitted committee."""


class One(Answers):
    """One of C classes: probabilities by `predict_proba`, else the softmax of `decision_function`.

    Classes without a label have probability 0; the only class with labels is certain.
    """

    plain, drawn = PROBS, MC_PROBS

    def __init__(self, targets: Tensor, width: int) -> None:
        super().__init__(targets, width)
        self.classes, self.codes = np.unique(self.targets, return_inverse=True)

    @property
    def lesson(self) -> NDArray[Any] | None:
        """(M,) codes 0 to m − 1 of the classes seen."""
        return self.codes if len(self.classes) > 1 else None

    @property
    def seen(self) -> Tensor:
        """(m,) the classes seen."""
        return torch.from_numpy(self.classes)

    @property
    def notes(self) -> Mapping[str, int]:
        return {"classes_seen": len(self.classes)}

    def whole(self, model: Any, rows: Rows) -> Tensor:
        if model is None or not hasattr(model, "predict_proba"):
            return self.logits(model, rows).softmax(1).float()
        return self._spread(model.predict_proba(rows), rows)

    def logits(self, model: Any, rows: Rows) -> Tensor:
        """(n, C) `decision_function`; of two classes, minus and plus half of it."""
        found = torch.full((len(rows), self.width), -FAR)
        if model is None:
            found[:, int(self.classes[0])] = 0
            return found
        decided = np.asarray(model.decision_function(rows), np.float64)
        logits = np.stack([-decided / 2, decided / 2], 1) if decided.ndim == 1 else decided
        if logits.shape[1] != len(self.classes):
            raise UnmetNeeds(
                f"decision_function of {type(model).__name__} has {logits.shape[1]} columns for {len(self.classes)} "
                "classes: choose an estimator that gives one per class",
                [PROBS.name],
            )
        found += torch.from_numpy(logits.min(1, keepdims=True)).float()
        found[:, self.seen] = torch.from_numpy(logits).float()
        return found

    def member(self, model: Any, rows: Rows, draw: int) -> Tensor:
        member, own = members(model, rows)[draw]
        codes = np.asarray(member.classes_, np.int64)
        if hasattr(member, "predict_proba"):
            return self._spread(member.predict_proba(own), rows, codes)
        return self._spread(member.predict(own)[:, None] == codes, rows, codes)

    def _spread(self, probs: Any, rows: Rows, codes: NDArray[np.int64] | None = None) -> Tensor:
        """(n, C): columns of the classes seen, the others 0."""
        spread = torch.zeros(len(rows), self.width)
        columns = self.classes if codes is None else self.classes[codes]
        spread[:, torch.from_numpy(columns)] = torch.from_numpy(np.asarray(probs, np.float32))
        return spread


class Several(Answers):
    """Any of C labels: estimators that take several at once as they are, others one copy for each label.

    A label that no labelled item has has probability 0, one that all have has 1. `decision_function` stands in for
    `predict_proba`, by its sigmoid.
    """

    plain, drawn = LABEL_PROBS, MC_LABEL_PROBS

    def __init__(self, targets: Tensor, width: int) -> None:
        super().__init__(targets, width)
        self.varying = np.flatnonzero((self.targets != self.targets[:1]).any(0))

    @property
    def lesson(self) -> NDArray[Any] | None:
        """(M, m) of 0 and 1, the labels that some items have and others have not; (M,) where there is one."""
        if not len(self.varying):
            return None
        found: NDArray[Any] = self.targets[:, self.varying].astype(np.int64)
        return found[:, 0] if found.shape[1] == 1 else found

    @property
    def seen(self) -> Tensor:
        """(2, C) the least and the largest target of each label."""
        return torch.from_numpy(np.stack([self.targets.min(0), self.targets.max(0)]).astype(np.int64))

    @property
    def notes(self) -> Mapping[str, int]:
        return {"labels_seen": int(self.targets.any(0).sum())}

    def around(self, estimator: Any) -> Any:
        """The estimator, one copy per label if it takes one label only."""
        from sklearn.multioutput import MultiOutputClassifier

        if len(self.varying) == 1:
            return estimator.estimator if _per_label(estimator) else estimator
        native = getattr(tag(estimator, "classifier_tags"), "multi_label", False)
        return estimator if native or _per_label(estimator) else MultiOutputClassifier(estimator)

    def whole(self, model: Any, rows: Rows) -> Tensor:
        return self._spread(None if model is None else _positive(model, rows, len(self.varying)), rows)

    def member(self, model: Any, rows: Rows, draw: int) -> Tensor:
        parts, count = (model.estimators_, 1) if _per_label(model) else ([model], len(self.varying))
        chosen = [members(part, rows)[draw] for part in parts]
        return self._spread(np.concatenate([_positive(*one, count) for one in chosen], 1), rows)

    def _spread(self, positive: Any, rows: Rows) -> Tensor:
        spread = torch.from_numpy(self.targets[:1].astype(np.float32)).repeat(len(rows), 1)
        if positive is not None:
            spread[:, torch.from_numpy(self.varying)] = torch.from_numpy(np.asarray(positive, np.float32))
        return spread


class Numbers(Answers):
    """T numbers per item, in the labels' units: the estimator is fitted on them as they are."""

    plain, drawn = PREDICTIONS, MC_PREDICTIONS

    @property
    def lesson(self) -> NDArray[Any]:
        """(M,), or (M, T) where T is above 1."""
        return self.targets

    @property
    def seen(self) -> Tensor:
        """(0,): the estimator knows all."""
        return torch.empty(0, dtype=torch.int64)

    def whole(self, model: Any, rows: Rows) -> Tensor:
        return torch.from_numpy(_columns(model.predict(rows))).float()

    def member(self, model: Any, rows: Rows, draw: int) -> Tensor:
        member, own = members(model, rows)[draw]
        return torch.from_numpy(_columns(member.predict(own))).float()


def answers_to(task: Task) -> type[Answers] | None:
    """How labels of this task are answered; None where no estimator can."""
    kinds: tuple[type[Answers], ...] = (One, Several, Numbers)
    offered = {need.name for need in task.offers}
    return next((kind for kind in kinds if kind.plain.name in offered), None)


def members(model: Any, rows: Rows) -> list[tuple[Any, Any]]:
    """(member, the rows that it takes) of a forest or bag, also at the end of a pipeline."""
    if hasattr(model, "steps"):
        return members(model[-1], model[:-1].transform(rows) if len(model) > 1 else rows)
    columns = getattr(model, "estimators_features_", None) or [slice(None)] * len(model.estimators_)
    return [(member, rows[:, own]) for member, own in zip(model.estimators_, columns, strict=True)]


def has_probabilities(model: Any) -> bool:
    """Whether a classifier says more than its decision: `predict_proba` or `decision_function`.

    >>> from sklearn.svm import LinearSVC
    >>> has_probabilities(LinearSVC()), has_probabilities(object())
    (True, False)
    """
    if _per_label(model):
        return all(map(has_probabilities, model.estimators_))
    return hasattr(model, "predict_proba") or hasattr(model, "decision_function")


def tag(estimator: Any, name: str) -> Any:
    """One of scikit-learn's tags, such as "estimator_type"; None for an estimator that has no tags."""
    from sklearn.utils import get_tags

    try:
        return getattr(get_tags(estimator), name)
    except AttributeError:
        return None


def _per_label(estimator: Any) -> bool:
    """Whether it holds an estimator for each label."""
    return type(estimator).__module__ == "sklearn.multioutput"


def _positive(model: Any, rows: Any, count: int) -> Floats:
    """(n, m) probability of each of the m labels that a model was fitted on."""
    if hasattr(model, "predict_proba"):
        return _of_probs(model.predict_proba(rows), model.classes_, count)
    if hasattr(model, "decision_function"):
        from scipy.special import expit

        return _columns(expit(model.decision_function(rows)))
    if _per_label(model):
        return np.concatenate([_positive(part, rows, 1) for part in model.estimators_], 1)
    return _columns(model.predict(rows))


def _of_probs(found: Any, classes: Any, count: int) -> Floats:
    """The probability of 1: scikit-learn gives (n, 2) per label, in a list of them, or (n, m) without the zeros."""
    if isinstance(found, list):
        return np.stack([_of_one(*pair) for pair in zip(found, classes, strict=True)], 1)
    return _of_one(found, classes)[:, None] if count == 1 else np.asarray(found, np.float64)


def _of_one(probs: NDArray[Any], classes: NDArray[Any]) -> Floats:
    """(n,) probability of 1; 0 where the model has only seen 0."""
    place = np.flatnonzero(classes == 1)
    return np.asarray(probs[:, place[0]] if len(place) else np.zeros(len(probs)), np.float64)


def _columns(values: Any) -> Floats:
    found = np.asarray(values, np.float64)
    return found.reshape(len(found), -1)
