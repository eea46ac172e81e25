"""One finished round, as it is yielded, stored and exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What a round cost and what it brought.

    round      0 is the initial one
    labels     items labelled in all, copies not counted; `cost` and `seconds_asked` of all answers
    metrics    on the test part; empty without one. `headline` names the one that curves show
    agreement  Cohen's kappa of this model's and the last model's predictions on a fixed unlabelled set, or None
    seconds    wall clock by part: train, score, select, measure, rest
    basis      last event that the fit knew; `weights` and `rehearsal` are hashes of model and fit
    watched    predicted labels of the fixed set
    planned    rounds that had been planned when the model was fitted; edits: changes of the project that it knew
    """

    round: int
    labels: int
    cost: float
    metrics: Mapping[str, float]
    headline: str
    basis: int
    weights: str
    rehearsal: str
    agreement: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    seconds_asked: float = 0.0
    fit: Mapping[str, Any] = field(default_factory=dict)
    watched: tuple[Any, ...] = ()
    planned: int = 0
    edits: int = 0

    @property
    def value(self) -> float:
        """The headline metric; NaN without a test part."""
        return self.metrics.get(self.headline, float("nan"))

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def public(self) -> dict[str, Any]:
        """As a line of rounds.jsonl."""
        return {name: value for name, value in self.body().items() if name != "watched"}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Report:
        """From JSON."""
        return cls(**{**body, "watched": tuple(body["watched"])})
