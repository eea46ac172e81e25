"""How labelled and unlabelled items train a net. A scheme writes `train(run)` over the kit in `training/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from askwell.core.needs import EMBEDDING, LOGITS, Need
from askwell.core.spec import config

if TYPE_CHECKING:
    from torch import Tensor, nn

    from askwell.core.learner import FitReport
    from askwell.core.pool import Form
    from askwell.core.seeds import Seeds
    from askwell.core.task import Task

__all__ = ["Draw", "Facts", "Outputs", "Rows", "Run", "Scheme", "Stop", "Stream", "Tick", "Update"]


@dataclass(frozen=True)
class Facts:
    """Frozen numbers: all that lengths, sizes and weights of a fit may depend on."""

    outputs: int
    num_classes: int | None
    n_labelled: int
    n_unlabelled: int
    n_validation: int
    round: int
    batches: tuple[int, ...] = ()


@dataclass(frozen=True)
class Draw:
    """Rows behind a stream: ids (n,), an item as often as it is to come in one pass; may be empty.

    y  targets (n, …); or soft labels (n, C) in place of classes (n,): what the task's loss takes
    w  (n,) weights >= 0 in the loss, 0 is absence; p: (n,) rows are drawn in proportion to it, with replacement
    """

    ids: Tensor
    y: Tensor | None = None
    w: Tensor | None = None
    p: Tensor | None = None


@dataclass(frozen=True)
class Rows:
    """One step's rows. `views` are the same items under each view of the stream; x = views[0]."""

    ids: Tensor
    views: tuple[Any, ...]
    y: Tensor | None
    w: Tensor | None

    @property
    def x(self) -> Any:
        return self.views[0]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Outputs:
    """One chunk of a scoring pass: a single forward serves all needs. z (n, D), logits (n, O)."""

    x: Any
    z: Tensor
    taps: tuple[Tensor, ...]
    logits: Tensor


@dataclass(frozen=True)
class Tick:
    """One step of a clock: `step` counts from 0 within the phase, `epoch` likewise."""

    phase: str
    step: int
    length: int
    epoch: int
    last: bool


class Stop(Protocol):
    """Asked at epoch ends: True ends the phase. `Reached(metric, .99)`, `Patience(metric, k)`.

    Modules that it kept as `run.saved["best"]` are what the phase ends with.
    """

    def __call__(self, run: Run, epoch: int) -> bool: ...


class Stream(Protocol):
    """An endless source of rows with its own order and its own augmentation seed."""

    def next(self) -> Rows: ...

    def refill(self, draw: Draw) -> None:
        """Rows of another draw from now on, such as pseudo-labels that have just been renewed."""
        ...


class Update(Protocol):
    """The only place where gradients change weights."""

    def __call__(self, loss: Callable[..., Tensor], *args: Any) -> None: ...


class Run(Protocol):
    """One fit, as a scheme sees it; everything that must survive a pause lives here.

    makers  what the learner brings by name: `net` makes its network, untrained
    """

    facts: Facts
    task: Task
    m: SimpleNamespace
    seeds: Seeds
    previous: Mapping[str, Any]
    votes: Tensor | None
    makers: Mapping[str, Callable[[], nn.Module]]
    memory: dict[str, Any]
    saved: dict[str, Any]
    report: FitReport

    @property
    def form(self) -> Form:
        """What one item looks like as a tensor: schemes make their own modules from it."""
        ...

    def draw(self, name: str) -> Draw:
        """The rows of "labelled", "unlabelled" or "validation", for `compute` and for weights."""
        ...

    def build(self, policy: str | tuple[Any, ...] = "scratch", **makers: Callable[[], nn.Module]) -> SimpleNamespace:
        """Modules by name: scratch | warm | ("given", path) | ("saved", name) | ("shrink_perturb", s, n).

        With no maker for `net` the learner's own net is built.
        """
        ...

    def stream(self, name: str, size: int, draw: str | Draw | None = None, views: Sequence[str] = ("train",)) -> Stream:
        """Endless rows of "labelled", "unlabelled", "validation" or a `Draw`; `name` seeds order and views."""
        ...

    def update(
        self,
        name: str,
        *modules: nn.Module,
        lr: float,
        kind: str = "adam",
        schedule: tuple[Any, ...] = ("constant",),
        clip: float = 0.0,
        **args: Any,
    ) -> Update:
        """An optimiser over the modules' parameters, with its own random stream."""
        ...

    def act(self, name: str, fn: Callable[..., Any], *args: Any) -> None:
        """A change without gradients (EMA, CD-k, clipping): no grad, own random stream, recorded."""
        ...

    def clock(self, phase: str, length: int, epoch: int = 50, stop: Stop | None = None) -> Iterator[Tick]:
        """Ticks of one phase; asks `stop` at epoch ends, pauses and resumes between ticks."""
        ...

    def compute(self, fn: Callable[[Any], Tensor], ids: Tensor, *modules: nn.Module) -> Tensor:
        """fn over eval items in eval mode, without gradients; flags and generators restored."""
        ...

    def drawn(self, net: nn.Module, fn: Callable[[Tensor], Tensor], ids: Tensor, draws: int, turn: int = 0) -> Tensor:
        """(n, …) fn over the outputs (n, K, O) of K passes with dropout, each item under masks of its own.

        Another `turn` has other masks; everything but dropout is in eval mode.
        """
        ...

    def keep(self, name: str) -> None:
        """A deep copy of all modules into `saved`."""
        ...

    def fresh(self) -> None:
        """Drops modules, streams and updates between phases."""
        ...

    def child(self, name: str, **changes: Any) -> Run:
        """A run with its own seeds, for ensembles, search and function needs."""
        ...


class Scheme(ABC):
    """Base of all schemes: a frozen dataclass of numbers and nested schemes.

    reads      what of the job it uses: labelled | unlabelled | validation | previous | batches | votes; the rest is
               refused
    offers     need -> method(run, outputs) that computes it row by row
    functions  function need -> method(run, …), pure
    """

    offers: ClassVar[Mapping[Need, str]] = {LOGITS: "logits", EMBEDDING: "embedding"}
    functions: ClassVar[Mapping[Need, str]] = {}

    @property
    def reads(self) -> frozenset[str]:
        """Part of the job that it uses; it may depend on its numbers."""
        return frozenset({"labelled"})

    @property
    def watches(self) -> frozenset[str]:
        """Names of the task's metrics that its stops ask for."""
        return frozenset()

    @property
    def most_draws(self) -> int | None:
        """How many networks `committee` returns; None where the net alone answers."""
        return None

    @abstractmethod
    def train(self, run: Run) -> None:
        """One fit: builds modules, opens streams and updates, and steps through its clocks."""

    def network(self, net: nn.Module) -> nn.Module:
        """The learner's network, untrained, as this scheme trains it: with other layers where it says so."""
        return net

    def committee(self, run: Run) -> tuple[nn.Module, ...]:
        """Fitted networks whose mean is what is predicted and which are the draws; () where the net alone answers."""
        return ()

    def logits(self, run: Run, outputs: Outputs) -> Tensor:
        """(n, O) outputs of the net."""
        return outputs.logits

    def embedding(self, run: Run, outputs: Outputs) -> Tensor:
        """(n, D) input of the last linear layer."""
        return outputs.z

    def config(self) -> dict[str, Any]:
        """Numbers and nested schemes as JSON; part of the hash of every fit."""
        return dict(config(self))
