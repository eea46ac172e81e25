"""What a label is: its format, its loss, its metrics, its unit of labelling and of cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from askwell.core.needs import Need

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MINIMISED", "Task"]

MINIMISED = frozenset({"loss", "nll", "ece", "brier", "hamming_loss", "mae", "mse", "rmse"})
"""Metrics of which less is better."""


class Task(ABC):
    """Base of all tasks; a subclass is a frozen dataclass.

    form      the kind of question that people are shown: "label", "labels", "number", "box", "spans", …
    headline  the metric that curves and stop rules use unless told otherwise
    offers    need -> name of the method that computes it from a net's outputs (n, O), such as probs
    drawn     need -> name of that method, for K stochastic passes: mc_probs are K times probs
    """

    form: ClassVar[str] = "label"
    headline: ClassVar[str] = "accuracy"
    offers: ClassVar[Mapping[Need, str]] = {}
    drawn: ClassVar[Mapping[Need, str]] = {}

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Width O of a net's last layer."""

    @property
    def num_classes(self) -> int | None:
        """Number of classes, where every item has one of them."""
        return None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names that a label is made of: classes; none for numbers."""
        return ()

    @abstractmethod
    def check(self, value: Any) -> Any:
        """The label in canonical JSON form; raises `BadLabel` with what is allowed."""

    @abstractmethod
    def encode(self, values: Sequence[Any]) -> Tensor:
        """Canonical labels as the targets of the loss, (n, …)."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss per item, (n,): outputs (n, O), targets (n, …)."""

    @abstractmethod
    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Metrics of one held-out set. `outputs` is what `predict` returns."""

    @abstractmethod
    def predict(self, outputs: Tensor) -> Tensor:
        """Net outputs (n, O) as predictions: probabilities for classification, coordinates for boxes."""

    @abstractmethod
    def decide(self, predictions: Tensor) -> list[Any]:
        """Predictions as canonical labels."""

    def fitted(self, targets: Tensor) -> Task:
        """The task with what it learns from the targets of a fit, such as their scale: itself unless it says so."""
        return self

    def state(self) -> dict[str, Tensor]:
        """What `fitted` has learned, to be saved with a model; empty unless the task says so."""
        return {}

    def restored(self, state: Mapping[str, Tensor]) -> Task:
        """The task that `state` came from."""
        return self

    def tempered(self, predictions: Tensor, temperature: float) -> Tensor:
        """Predictions as if the outputs before them had been divided by `temperature`; numbers stay as they are."""
        return predictions

    def reduce(self, scores: Tensor, items: Tensor, n: int) -> Tensor:
        """Unit scores (u,) of items (u,) to item scores (n,): the maximum, unless the task says otherwise."""
        return scores.new_zeros(n).scatter_reduce(0, items, scores, "amax", include_self=False)

    def cost(self, value: Any) -> float:
        """What one answer costs before any annotator's price."""
        return 1.0
