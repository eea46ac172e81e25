"""A torch network: trained by a scheme, scored in one fused pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import MC_PROBS, Need, Over
from askwell.core.pool import Form, Items, Pool
from askwell.core.registry import find
from askwell.core.scheme import Outputs, Scheme
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.errors import BadShape, InputError, UnmetNeeds
from askwell.learners.blank import Blank
from askwell.learners.weights import read, write
from askwell.models.net import Net as EmbeddingNet
from askwell.models.wrap import Wrapped
from askwell.training.fit import Fitted, fit, outline
from askwell.training.mc_dropout import MCDropout
from askwell.training.modes import evaluating, pieces
from askwell.training.tensors import restore, tensors

__all__ = ["Net", "NetLearner"]

Rows = Callable[[Any], Mapping[Need, Tensor]]


@dataclass(frozen=True)
class Net:
    """Makes a learner around a network.

    model      a factory of `models/`; or "module:name" of any `nn.Module` class or of a function that returns a module
               (the class or function itself is taken too); None: by the form of the items, see `engine.assemble`
    layer      whose input is the embedding of a module that is not ours; its last `nn.Linear` unless named
    batch      items of one scoring pass; halved for as long as memory runs out
    precision  "float32", or "bfloat16": autocast in training

    >>> Net(model="torch.nn:Identity")
    Net(model='torch.nn:Identity', layer=None, batch=512, precision='float32')
    """

    uses_scheme: ClassVar[bool] = True

    model: Any = None
    layer: str | None = None
    batch: int = 512
    precision: str = "float32"

    def __post_init__(self) -> None:
        if callable(self.model):
            object.__setattr__(self, "model", _address(self.model))
        if self.batch < 2:
            raise InputError(f"batch must be at least 2, got {self.batch}", got=self.batch)

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> NetLearner:
        """A learner for items of this form; refuses a missing scheme, and a model that does not take the form."""
        if scheme is None:
            raise UnmetNeeds(f"learner {self!r} needs a scheme to train by, such as supervised")
        learner = NetLearner(self, form, task, scheme, device)
        with torch.random.fork_rng(devices=[]):
            learner.make()
        return learner

    def module(self, form: Form, outputs: int) -> EmbeddingNet:
        """The network, untrained."""
        model = _resolved(self.model)
        made = model.build(form, outputs) if hasattr(model, "build") else model()
        if not isinstance(made, nn.Module):
            raise InputError(f"model {self.model!r} makes no nn.Module but {type(made).__name__}", got=made)
        return made if isinstance(made, EmbeddingNet) else Wrapped(made, self.layer)


class NetLearner(Learner):
    """A network, the modules that its scheme trained beside it, and what they can compute."""

    def __init__(self, factory: Net, form: Form, task: Task, scheme: Scheme, device: str) -> None:
        self.factory, self.form, self.task, self.scheme, self.device = factory, form, task, scheme, device
        self.warm = "previous" in scheme.reads
        self._fitted: Fitted | None = None

    @property
    def provides(self) -> frozenset[str]:
        offered = {need.name for need in (*self.scheme.offers, *self.scheme.functions, *self.task.offers)}
        return frozenset(offered | {"head"} | ({"mc_probs"} if "probs" in offered else set()))

    def make(self) -> EmbeddingNet:
        """The network, untrained."""
        return self.factory.module(self.form, self.task.outputs)

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        self._fitted = fit(
            self.scheme, pool, job, self.task, {"net": self.make}, seeds,
            device=self.device, precision=self.factory.precision, progress=progress,
        )  # fmt: skip
        return self._fitted.report

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        found: dict[Need, Any] = {need: self._function(need) for need in needs if need.kind == "call"}
        for over in dict.fromkeys(need.over for need in needs if need.kind == "rows"):
            wanted = [need for need in needs if need.kind == "rows" and need.over == over]
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            found |= self._over(pool, wanted, ids, seeds, out or _memory)
        return found

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        need = Need("predictions")
        return self._pass(pool, ids, lambda x: {need: self.task.predict(self._outputs(x).logits)}, _memory)[need]

    def state(self) -> dict[str, Tensor]:
        return tensors(self.fitted.modules)

    def save(self, path: Path) -> str:
        return write(path, self.state())

    def load(self, path: Path) -> None:
        blank = Blank(self.form)
        self._fitted = outline(self.scheme, blank, self.task, {"net": self.make}, Seeds(0), device=self.device)
        restore(self._fitted.modules, read(path))
        for module in vars(self._fitted.modules).values():
            module.eval()

    @property
    def fitted(self) -> Fitted:
        """The last fit."""
        if self._fitted is None:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._fitted

    def _over(self, pool: Pool, needs: Sequence[Need], ids: Tensor, seeds: Seeds, out: Allocate) -> dict[Need, Tensor]:
        draws = max((int(need["draws"]) for need in needs if need.name == MC_PROBS.name), default=0)
        sampler = self._sampler(pool, seeds) if draws else None
        plain = [need for need in needs if need.name != MC_PROBS.name]

        def rows(x: Any) -> dict[Need, Tensor]:
            outputs = self._outputs(x) if plain else None
            found = {need: self._row(need, outputs) for need in plain if outputs is not None}
            sampled = self.task.predict(sampler(x, draws)) if sampler else None
            mc = {need: sampled[:, : int(need["draws"])] for need in needs if need not in plain and sampled is not None}
            return found | mc

        if len(ids):
            return self._pass(pool, ids, rows, out)
        probe = self._pass(pool, torch.zeros(2, dtype=torch.int64), rows, _memory)
        return {need: value[:0] for need, value in probe.items()}

    def _pass(self, pool: Pool, ids: Tensor, rows: Rows, out: Allocate) -> dict[Need, Tensor]:
        """Rows of all needs over eval items, in eval mode; a batch that does not fit is halved."""
        items, size = pool.items("eval").to(self.device), self.factory.batch
        with evaluating(*vars(self.fitted.modules).values()):
            while True:
                try:
                    return _filled(items, ids, size, rows, out)
                except torch.OutOfMemoryError:
                    if size <= 2:
                        raise
                    size //= 2

    def _outputs(self, x: Any) -> Outputs:
        net = self.fitted.modules.net
        z, taps = net.embed(x)
        logits = net.head(z)
        if logits.shape[-1] != self.task.outputs:
            raise BadShape(
                f"the model returns {logits.shape[-1]} outputs per item and the task has {self.task.outputs}",
                got=logits.shape[-1],
            )
        return Outputs(x, z, taps, logits)

    def _row(self, need: Need, outputs: Outputs) -> Tensor:
        plain = Need(need.name)
        if plain in self.task.offers:
            found: Tensor = getattr(self.task, self.task.offers[plain])(outputs.logits)
        else:
            found = getattr(self.scheme, self.scheme.offers[plain])(self.fitted.run, outputs)
        return found

    def _function(self, need: Need) -> Callable[..., Any]:
        """A function of a copy: nothing that a strategy does reaches the fitted net."""
        if need.name == "head":
            return deepcopy(self.fitted.modules.net.head).eval()
        return partial(getattr(self.scheme, self.scheme.functions[Need(need.name, "model", "call")]), self.fitted.run)

    def _sampler(self, pool: Pool, seeds: Seeds) -> MCDropout:
        items = pool.items("eval").to(self.device)
        probe = torch.arange(2) if len(pool) > 1 else torch.zeros(2, dtype=torch.int64)
        return MCDropout(self.fitted.modules.net, seeds, next(iter(items.batches(probe, 2)))[1])


def _filled(items: Items, ids: Tensor, size: int, rows: Rows, out: Allocate) -> dict[Need, Tensor]:
    """Rows of all needs in the order of ids; pieces of a fixed size, never of one row."""
    found: dict[Need, Tensor] = {}
    for piece in pieces(len(ids), size):
        for where, x in items.batches(ids[piece], size + 1):
            place = slice(piece.start + where.start, piece.start + where.stop)
            for need, value in rows(x).items():
                if need not in found:
                    found[need] = out(need, (len(ids), *value.shape[1:]), value.dtype)
                found[need][place] = value
    return found


def _memory(need: Need, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype)


def _resolved(model: Any) -> Any:
    if model is None:
        raise InputError("no network was chosen: give `model`, such as mlp, small_cnn, text_cnn or module:Class")
    found = find("models", model) if isinstance(model, str) else model
    return found() if isinstance(found, type) and hasattr(found, "build") else found


def _address(model: Any) -> str:
    """ "module:name" of a class or function."""
    name = getattr(model, "__qualname__", "<unnamed>")
    if "<" in name:
        raise InputError(f"model {model!r} cannot be found by name: move it to the top level of a module", got=model)
    return f"{model.__module__}:{name}"
