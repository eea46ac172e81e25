"""A learner fits a model on labels and computes the tensors that strategies need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from askwell.core.needs import Need, Over

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from askwell.core.pool import Form, Pool
    from askwell.core.scheme import Scheme
    from askwell.core.seeds import Seeds
    from askwell.core.task import Task

__all__ = ["Allocate", "FitReport", "Job", "Learner", "LearnerFactory", "Progress"]

Allocate = Callable[[Need, tuple[int, ...], "torch.dtype"], "Tensor"]
"""Where a need's rows go: memory or a memory map."""
Progress = Callable[[str, int, int], None]
"""Called with (what, done, total)."""


@dataclass(frozen=True)
class Job:
    """Everything that one fit may use. A scheme declares in `reads` which of it beyond the labelled items.

    labelled    (M,) int64 ids, in question order; `targets` (M, …) by `Task.encode`; `weights` (M,) or None
    unlabelled  (N,) int64 ids; their labels cannot be reached from here
    validation  (V,) int64 ids with `validation_targets`
    previous    tensors of the last round's fit, empty in the first
    batches     ids asked per round, oldest first
    votes       (V, 3) int64, or None: every answer behind the labels, as the place of its item among the labelled, the
                number of its annotator, and the class that he said; of two by one annotator about one item the later
    """

    labelled: Tensor
    targets: Tensor
    unlabelled: Tensor
    validation: Tensor
    validation_targets: Tensor
    weights: Tensor | None = None
    previous: Mapping[str, Any] = field(default_factory=dict)
    batches: tuple[Tensor, ...] = ()
    round: int = 0
    votes: Tensor | None = None


@dataclass
class FitReport:
    """What a fit did: steps and updates taken, last and best figures, the hash of its rehearsal."""

    steps: int = 0
    epochs: int = 0
    updates: dict[str, int] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    stopped: str = ""
    rehearsal: str = ""
    notes: dict[str, Any] = field(default_factory=dict)


class Learner(ABC):
    """A model that learns. `provides` names the needs it can compute; `warm`: a fit builds on the last one.

    most_draws  how many draws it can give, where it has a fixed number of members; None: as many as are wanted
    """

    warm: bool = False
    most_draws: int | None = None

    @property
    @abstractmethod
    def provides(self) -> Set[str]:
        """Names of the needs of kind rows and call."""

    @abstractmethod
    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        """Trains on the job; same job and seeds, same weights on one CPU thread."""

    @abstractmethod
    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        """Needs in one pass over eval items; leaves weights, buffers, modes and global generators as they were."""

    @abstractmethod
    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        """(n, …) predictions by `Task.predict`, for measuring."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The fitted tensors; what `save` writes and the next job's `previous` holds."""

    @abstractmethod
    def save(self, path: Path) -> str:
        """Writes the fitted model as safetensors, atomically, and returns its sha256; never a pickle."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Restores what `save` wrote: compute gives the same tensors."""


class LearnerFactory(Protocol):
    """A frozen dataclass that makes a learner for a pool and a task; every round's fit starts from it."""

    @property
    def uses_scheme(self) -> bool:
        """Whether its learners train by a scheme; those of others have their own way to fit."""
        ...

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> Learner:
        """A learner that has not been fitted; refuses a form or scheme that it cannot use."""
        ...
