"""A scikit-learn estimator that learns: the rows that it was fitted on, and what it answers."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import LOGITS, Need, Over
from askwell.core.pool import Form, Pool
from askwell.core.seeds import Seeds
from askwell.core.spec import config, digest
from askwell.core.task import Task
from askwell.errors import AskwellError, BadData, InputError, NotFinite, UnmetNeeds
from askwell.learners.answers import Answers, Numbers, One, Several, answers_to, has_probabilities, tag
from askwell.learners.collect import collect
from askwell.learners.weights import read, write

if TYPE_CHECKING:
    from askwell.learners.sklearn import Sklearn

__all__ = ["SklearnLearner"]

ROWS = 4096
LONGEST = 300
"""Characters that are kept of what an estimator says."""
COMMITTEES = (
    "BaggingClassifier", "BaggingRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier",
    "RandomForestRegressor",
)  # fmt: skip
Rows = NDArray[np.float32]


class SklearnLearner(Learner):
    """A fitted estimator and the rows that it was fitted on."""

    def __init__(self, factory: Sklearn, form: Form, task: Task) -> None:
        kind = answers_to(task)
        if kind is None:
            raise UnmetNeeds(f"learner {factory!r} learns classes, labels or numbers, and task {task!r} has none")
        self.factory, self.form, self.task, self.kind = factory, form, task, kind
        self.prototype = factory.make(numbers=kind is Numbers)
        self._refuse()
        self._held: dict[str, Tensor] = {}
        self._answers: Answers | None = None
        self._model: Any = None

    @property
    def provides(self) -> Set[str]:
        decides = hasattr(self.prototype, "decision_function") and not hasattr(self.prototype, "predict_proba")
        logits = {LOGITS.name} if decides and self.kind is One else set()
        return {self.kind.plain.name} | logits | ({self.kind.drawn.name} if self._committee else set())

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        if not len(job.labelled):
            raise InputError(f"{self._name} cannot be fitted on no labelled items")
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
        plain = self.kind.plain
        return collect(ids, ROWS, lambda some: self._rows(pool, [plain], some))[plain]

    @property
    def estimator(self) -> Any:
        """The fitted estimator; None where the labels of the fit left nothing to learn."""
        return self._model

    @property
    def seen(self) -> Tensor:
        """What the estimator's answers are read by, beside the estimator: int64, of the labels of the fit."""
        return self._known.seen

    def serve(self, estimator: Any, seen: Tensor) -> None:
        """Answers by an estimator that was fitted elsewhere; without the rows of its fit it cannot be saved."""
        self._held, self._answers, self._model = {}, self.kind(seen, self.task.outputs), estimator

    def state(self) -> dict[str, Tensor]:
        return dict(self._held)

    def save(self, path: Path) -> str:
        about = json.dumps(self._about(), sort_keys=True).encode()
        return write(path, {**self.state(), "about": torch.tensor(list(about), dtype=torch.uint8)})

    def load(self, path: Path) -> None:
        values, own = read(path), self._about()
        about = json.loads(bytes(values.pop("about").tolist())) if "about" in values else {}
        if any(about.get(name) != own[name] for name in ("learner", "form", "outputs")):
            raise BadData(f"{path} was not saved by {self.factory!r} for {self.task!r}", got=about)
        if about["sklearn"] != own["sklearn"]:
            warnings.warn(
                f"{path} was fitted by scikit-learn {about['sklearn']} and is fitted again by {own['sklearn']}: "
                "predictions may differ",
                stacklevel=2,
            )
        self._fit(values)

    @property
    def _name(self) -> str:
        return type(self._bare).__name__

    @property
    def _bare(self) -> Any:
        """The estimator without the scale of its labels."""
        return getattr(self.prototype, "regressor", self.prototype)

    @property
    def _last(self) -> Any:
        """The estimator, or the last one of a pipeline."""
        return self.prototype[-1] if hasattr(self.prototype, "steps") else self.prototype

    @property
    def _committee(self) -> bool:
        """Whether it has members."""
        ensembles = importlib.import_module("sklearn.ensemble")
        return isinstance(self._last, tuple(getattr(ensembles, name) for name in COMMITTEES))

    def _refuse(self) -> None:
        """Refuses an estimator that is none, or that cannot learn the task's labels."""
        if not (hasattr(self.prototype, "fit") and hasattr(self.prototype, "get_params")):
            raise InputError(
                f"{self.factory.estimator!r} is no scikit-learn estimator: build it on sklearn.base:BaseEstimator, "
                "with a method fit"
            )
        kind, numbers = tag(self.prototype, "estimator_type"), self.kind is Numbers
        if numbers and kind == "classifier":
            raise UnmetNeeds(
                f"estimator {self.factory.estimator!r} is a classifier and task {self.task!r} has numbers for labels: "
                "choose a regressor, such as random_forest, ridge or module:Class"
            )
        if not numbers and kind == "regressor":
            raise UnmetNeeds(
                f"estimator {self.factory.estimator!r} is a regressor and the labels of task {self.task!r} are no "
                "numbers: choose a classifier, such as random_forest, logistic_regression or module:Class"
            )
        if not (self.kind is Several or (numbers and self.task.outputs > 1)):
            self._refuse_several()
        if not numbers:
            self._refuse_votes()

    def _refuse_several(self) -> None:
        targets = tag(self.prototype, "target_tags")
        if targets is not None and not targets.single_output:
            raise UnmetNeeds(
                f"estimator {self.factory.estimator!r} learns several labels per item and those of task {self.task!r} "
                "have one: choose one for a single label"
            )

    def _refuse_votes(self) -> None:
        """Some estimators only know after their fit what they can say: `_fitted` looks again."""
        known = type(self.prototype)
        if not (hasattr(known, "predict_proba") or hasattr(known, "decision_function")):
            raise self._without_probabilities()
        if self.prototype.get_params().get("decision_function_shape") == "ovo":
            raise UnmetNeeds(
                f"estimator {self.factory.estimator!r} decides between pairs of classes: set decision_function_shape "
                "to ovr",
                [self.kind.plain.name],
            )

    def _without_probabilities(self) -> UnmetNeeds:
        return UnmetNeeds(
            f"estimator {self.factory.estimator!r} gives no probabilities: choose one with predict_proba or "
            "decision_function, or put sklearn.ensemble:BaggingClassifier around it, whose members vote",
            [self.kind.plain.name],
        )

    def _about(self) -> dict[str, Any]:
        version = importlib.import_module("sklearn").__version__
        facts = {"form": self.task.form, "outputs": self.task.outputs}
        return {"learner": config(self.factory), "sklearn": version, **facts}

    def _fit(self, held: dict[str, Tensor]) -> FitReport:
        """Fits on the held rows: what was saved leads to the same estimator."""
        answers = self.kind(held["targets"], self.task.outputs)
        said: list[str] = []
        model = None if answers.lesson is None else self._fitted(answers, held, said)
        self._held, self._answers, self._model = held, answers, model
        notes = {**answers.notes, **({"warnings": said} if said else {})}
        return FitReport(steps=1, stopped="fitted", rehearsal=digest(self._about()), notes=notes)

    def _fitted(self, answers: Answers, held: Mapping[str, Tensor], said: list[str]) -> Any:
        """A fresh estimator on what there is to learn; its warnings go to the report."""
        from sklearn.base import clone

        model = answers.around(clone(self.prototype))
        model.set_params(**_random_states(model, int(held["seed"])))
        fitting = self._explained(f"be fitted on {len(held['targets'])} labelled items")
        with warnings.catch_warnings(record=True) as caught, fitting:
            warnings.simplefilter("always")
            model.fit(held["inputs"].numpy(), answers.lesson, **self._weights(held))
        said += dict.fromkeys(str(one.message).split("\n")[0] for one in caught)
        if self.kind is not Numbers and not has_probabilities(model):
            raise self._without_probabilities()
        return model

    def _weights(self, held: Mapping[str, Tensor]) -> dict[str, Any]:
        from sklearn.utils.validation import has_fit_parameter

        if "weights" not in held:
            return {}
        if not has_fit_parameter(self._bare, "sample_weight"):
            raise UnmetNeeds(f"{self._name} cannot weigh items: its fit() takes no sample_weight")
        return {"sample_weight": held["weights"].numpy()}

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Inside, whatever an estimator raises becomes one sentence that names it."""
        try:
            yield
        except AskwellError:
            raise
        except Exception as error:
            raise InputError(f"{self._name} cannot {what}: {shorten(str(error), LONGEST)}") from error

    @property
    def _known(self) -> Answers:
        """How the last fit's estimator is read."""
        if self._answers is None:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._answers

    def _rows(self, pool: Pool, needs: Sequence[Need], ids: Tensor) -> dict[Need, Tensor]:
        answers, rows = self._known, self._inputs(pool, ids)
        with self._explained("predict"):
            found = {need: self._answer(answers, need, rows) for need in needs}
        for need, values in found.items():
            if not values.isfinite().all():
                raise NotFinite(
                    f"{self._name} gives {need} that are NaN or infinite: bring the columns to one scale, or change "
                    "its settings"
                )
        return found

    def _answer(self, answers: Answers, need: Need, rows: Rows) -> Tensor:
        if need.name not in self.provides:
            raise UnmetNeeds(f"there is no {need}: there is {', '.join(sorted(self.provides))}", [str(need)])
        if need.name == LOGITS.name and isinstance(answers, One):
            return answers.logits(self._model, rows)
        if need.name == answers.drawn.name:
            return self._members(answers, need, rows)
        return answers.whole(self._model, rows)

    def _members(self, answers: Answers, need: Need, rows: Rows) -> Tensor:
        """(n, K, …) by the first K members."""
        draws, size = int(need["draws"]), int(self._last.n_estimators)
        if self._model is None:
            return answers.whole(None, rows).unsqueeze(1).repeat(1, draws, 1)
        if draws > size:
            raise UnmetNeeds(
                f"{need} needs {draws} members and {self._name} has {size}: set n_estimators to {draws} or more",
                [str(need)],
            )
        return torch.stack([answers.member(self._model, rows, draw) for draw in range(draws)], 1)

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


def _random_states(model: Any, seed: int) -> dict[str, int]:
    """A seed for every random_state that was left open, also of parts."""
    params = model.get_params()
    return {name: seed for name, value in params.items() if name.split("__")[-1] == "random_state" and value is None}
