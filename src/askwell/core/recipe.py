"""A recipe: one strategy, one learner, one scheme and their numbers, with the paper that they come from."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from askwell.core.spec import build, config, digest
from askwell.errors import ColdStart, InputError, UnknownName, UnmetNeeds

if TYPE_CHECKING:
    from askwell.core.learner import LearnerFactory
    from askwell.core.oracle import Oracle
    from askwell.core.scheme import Scheme
    from askwell.core.strategy import Strategy

__all__ = ["Recipe", "Resolution", "unmet"]

Resolution = Literal["last", "majority", "mean", "dawid_skene", "one_coin"]
ROOMS = {
    "strategy": "strategies", "initial": "strategies", "learner": "learners", "scheme": "schemes", "oracle": "oracles",
}  # fmt: skip


def unmet(strategy: Strategy, provides: Set[str]) -> list[str]:
    """Names of the strategy's needs that nobody provides; tables come from the store."""
    return sorted({str(need) for need in strategy.needs if need.kind != "table" and need.name not in provides})


@dataclass(frozen=True)
class Recipe:
    """A system that can be run: `recipes/<name>.py` holds a function that returns one.

    source        paper with year and arXiv number or DOI
    deviations    every known difference from the paper, one sentence each
    initial       the strategy of round 0, before any model: random, or cold start on fixed features
    initial_size  items asked in round 0; then `rounds` rounds of `batch` items
    answers       annotators wanted per question; `resolve` makes one label of their answers
    switches      setting path -> values that an ablation may try, such as {"scheme.adversary": (1.0, 0.0)}
    """

    name: str
    strategy: Strategy
    learner: LearnerFactory
    initial: Strategy
    scheme: Scheme | None = None
    task: str = "classification"
    oracle: Oracle | None = None
    initial_size: int = 20
    batch: int = 20
    rounds: int = 10
    answers: int = 1
    resolve: Resolution = "majority"
    source: str = ""
    deviations: tuple[str, ...] = ()
    switches: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in (self.strategy, self.initial):
            if not hasattr(part, "choose"):
                raise InputError(f"recipe {self.name!r}: {part!r} is no strategy, and chooses nothing from a view")
        for name, least in (("initial_size", 1), ("batch", 1), ("rounds", 0), ("answers", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise InputError(
                    f"recipe {self.name!r}: {name} must be a whole number of at least {least}, got {value!r}"
                )
        if self.resolve not in get_args(Resolution):
            raise UnknownName("way to resolve", self.resolve, get_args(Resolution))
        if self.scheme is not None and not self.learner.uses_scheme:
            raise UnmetNeeds(
                f"recipe {self.name!r}: learner {self.learner!r} has its own way to fit and takes no scheme"
            )

    @property
    def budget(self) -> int:
        """Items asked in all."""
        return self.initial_size + self.rounds * self.batch

    def check(self, provides: Set[str], before: Set[str]) -> None:
        """Refuses parts that do not fit. `before` is what can be computed with no model (features)."""
        if not self.initial.cold_start:
            raise ColdStart(f"recipe {self.name!r}: strategy {self.initial.name!r} cannot start, for it needs labels")
        for part, given in ((self.strategy, provides), (self.initial, before)):
            missing = unmet(part, given)
            if missing:
                raise UnmetNeeds(
                    f"recipe {self.name!r}: strategy {part.name!r} needs {', '.join(missing)}; "
                    f"there is {', '.join(sorted(given)) or 'nothing'}",
                    missing,
                )

    def config(self) -> dict[str, Any]:
        """The whole recipe as JSON."""
        return {field.name: config(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Recipe:
        """The recipe that `config` wrote."""
        parts = {key: build(ROOMS[key], value) if key in ROOMS else value for key, value in spec.items()}
        parts["deviations"] = tuple(parts.get("deviations", ()))
        parts["switches"] = {key: tuple(value) for key, value in parts.get("switches", {}).items()}
        return cls(**parts)

    @property
    def hash(self) -> str:
        """Eight hex digits that change whenever a part or a number does."""
        return digest(self.config())[:8]
