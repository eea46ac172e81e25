"""A torch network: trained by a scheme, scored in one fused pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import HEAD, MC_PROBS, NETWORK, Need, Over
from askwell.core.pool import Form, Items, Pool
from askwell.core.registry import find
from askwell.core.scheme import Outputs, Scheme
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.data.words import PADDING, UNKNOWN
from askwell.errors import AskwellError, BadShape, InputError, UnknownName, UnmetNeeds
from askwell.learners.blank import Blank
from askwell.learners.collect import collect
from askwell.learners.head import Head
from askwell.learners.members import TALLIED, Members, tallied, tally_of
from askwell.learners.memory import SMALLEST, fitting, out_of_memory
from askwell.learners.network import NetworkCopy
from askwell.learners.weights import parted, read, together, write
from askwell.models.net import Net as EmbeddingNet
from askwell.models.wrap import Wrapped
from askwell.training.chance import Chance, lend
from askwell.training.fit import Fitted, fit, outline
from askwell.training.mc_dropout import MCDropout, reachable
from askwell.training.modes import evaluating
from askwell.training.session import PRECISIONS
from askwell.training.streams import first_batch
from askwell.training.tensors import restore, tensors

__all__ = ["Net", "NetLearner"]

Parts = tuple[Tensor, tuple[Tensor, ...], Tensor]
"""z, taps and logits of a batch."""


@dataclass(frozen=True)
class Net:
    """Makes a learner around a network.

    model       a factory of `models/`; or "module:name" of any `nn.Module` class or of a function that returns a module
                (the class or function itself is taken too). Its arguments `outputs`, the width that its logits must
                have, and `form`, what one item looks like, are filled in where it has them; others need defaults.
                None: by the form of the items, see `engine.assemble`
    layer       whose input is the embedding of a module that is not ours; its last `nn.Linear` unless named
    batch       items of one scoring pass; halved for as long as memory runs out. So is the scheme's batch: training
                then starts again, and `notes["batch"]` of the report says with how many items per step
    precision   "float32", or "bfloat16": autocast in training and scoring
    consistent  draws, such as `mc_probs`, are functions of the whole pool; False: masks of their own for every item

    >>> Net(model="torch.nn:Identity")
    Net(model='torch.nn:Identity', layer=None, batch=256, precision='float32', consistent=True)
    """

    uses_scheme: ClassVar[bool] = True

    model: Any = None
    layer: str | None = None
    batch: int = 256
    precision: str = "float32"
    consistent: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.model, nn.Module):
            raise InputError(
                f"model is a {type(self.model).__name__} that exists already: give the class or a function that makes "
                "it, since every fit starts from a new one",
                got=self.model,
            )
        if callable(self.model):
            object.__setattr__(self, "model", _address(self.model))
        if self.batch < SMALLEST:
            raise InputError(f"batch must be at least {SMALLEST}, got {self.batch}", got=self.batch)
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> NetLearner:
        """A learner that has not been fitted; refuses a missing scheme, and a model that does not fit form and task."""
        if scheme is None:
            raise UnmetNeeds(f"learner {self!r} needs a scheme to train by, such as supervised")
        return NetLearner(self, form, task, scheme, device)

    def module(self, form: Form, outputs: int) -> EmbeddingNet:
        """The network, untrained."""
        model = _resolved(self.model)
        made = model.build(form, outputs) if hasattr(model, "build") else _called(model, form=form, outputs=outputs)
        if not isinstance(made, nn.Module):
            raise InputError(f"model {self.model!r} makes no nn.Module but {type(made).__name__}", got=made)
        if any(is_lazy(weights) for weights in (*made.parameters(), *made.buffers())):
            raise InputError(
                f"model {self.model!r} has lazy layers: give them their widths, which an argument `form` of the model "
                "can tell",
                got=made,
            )
        return made if isinstance(made, EmbeddingNet) else Wrapped(made, self.layer)


class Settings(Protocol):
    """What a `NetLearner` reads from the factory that made it, whatever network that is for."""

    @property
    def model(self) -> Any: ...

    @property
    def batch(self) -> int: ...

    @property
    def precision(self) -> str: ...

    @property
    def consistent(self) -> bool: ...

    def module(self, form: Form, outputs: int) -> EmbeddingNet:
        """The network, untrained."""
        ...


class NetLearner(Learner):
    """A network, the modules that its scheme trained beside it, and what they can compute.

    batch  items of one scoring pass; bits depend on it
    """

    def __init__(self, factory: Settings, form: Form, task: Task, scheme: Scheme, device: str) -> None:
        self.factory, self.form, self.task, self.scheme, self.device = factory, form, task, scheme, device
        self.batch, self.warm = factory.batch, "previous" in scheme.reads
        self._fitted: Fitted | None = None
        self.most_draws = scheme.most_draws
        self._drops = self._tried()

    @property
    def provides(self) -> frozenset[str]:
        offered = {need.name for need in (*self.scheme.offers, *self.scheme.functions, *self.task.offers)}
        drawn = {need.name for need in self.task.drawn} if self._drops or self.most_draws else set()
        sums = TALLIED if MC_PROBS.name in drawn else set()
        return frozenset(offered | {HEAD.name, NETWORK.name} | drawn | sums)

    @property
    def marks(self) -> tuple[int, ...]:
        """Tokens that are no words, where items are tokens."""
        return (PADDING, UNKNOWN) if self.form.kind == "tokens" else ()

    def make(self) -> EmbeddingNet:
        """The network, untrained."""
        return self.factory.module(self.form, self.task.outputs)

    def adapted(self, pool: Pool) -> Pool:
        """The pool with its items as the network takes them."""
        return pool

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        items, task = self.adapted(pool), self.task.fitted(job.targets)

        def train(scheme: Scheme) -> Fitted:
            return fit(
                scheme, items, job, task, {"net": self.make}, seeds,
                device=self.device, precision=self.factory.precision, progress=progress,
            )  # fmt: skip

        self._fitted = fitting(train, self.scheme, len(job.labelled))
        return self._fitted.report

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        found: dict[Need, Any] = {}
        rows = [need for need in needs if need.kind == "rows"]
        for over in dict.fromkeys(need.over for need in rows):
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            found |= self._over(pool, [need for need in rows if need.over == over], ids, seeds, out)
        return found | {need: self._function(pool, need) for need in needs if need.kind == "call"}

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        items, need = self._items(pool), Need("predictions")

        def rows(some: Tensor) -> dict[Need, Tensor]:
            x = first_batch(items, some)
            said = [self._task.predict(self._logits(Outputs(x, *self._forward(net, x)))) for net in self._nets]
            return {need: said[0] if len(said) == 1 else torch.stack(said).mean(0)}

        return self._collected(ids, rows, Seeds(0), None)[need]

    def state(self) -> dict[str, Tensor]:
        return together(tensors(self.fitted.modules), self._task)

    def save(self, path: Path) -> str:
        return write(path, self.state())

    def load(self, path: Path) -> None:
        values, task = parted(path, read(path), self.task)
        blank = Blank(self.form)
        loaded = outline(self.scheme, blank, task, {"net": self.make}, Seeds(0), device=self.device)
        restore(loaded.modules, values)
        self._fitted = loaded
        if self.form.kind != "other":
            two = torch.zeros(2, dtype=torch.int64)
            self.predict(blank, two)
            with self._scoring(Seeds(0)):
                self._parts(first_batch(blank, two))

    @property
    def fitted(self) -> Fitted:
        """The last fit."""
        if self._fitted is None:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._fitted

    @property
    def _task(self) -> Task:
        """The task with what the last fit taught it."""
        return self.fitted.run.task

    def _over(
        self, pool: Pool, needs: Sequence[Need], ids: Tensor, seeds: Seeds, out: Allocate | None
    ) -> dict[Need, Tensor]:
        """Rows of one set: one pass without dropout for all needs, and the draws behind it."""
        items, draws = self._items(pool), self._draws(needs)
        sampler = self._sampler(items, ids, seeds) if draws else None

        def rows(some: Tensor) -> dict[Need, Tensor]:
            x = first_batch(items, some)
            taken = {
                name: sampler(x, some, count, partial(self._draw, self._plain(name), x))
                for name, count in draws.items() if sampler is not None
            }  # fmt: skip
            parts = next(iter(taken.values()))[0] if taken else self._parts(x)
            outputs, sampled = Outputs(x, *parts), {name: rows for name, (_, rows) in taken.items()}
            return {
                need: self._of_draws(need, sampled) if self._source(need) else self._row(need, outputs)
                for need in needs
            }

        found = self._collected(ids, rows, seeds, out)
        if sampler is not None and len(ids):
            sampler.check()
        return found

    def _collected(
        self, ids: Tensor, rows: Callable[[Tensor], Mapping[Need, Tensor]], seeds: Seeds, out: Allocate | None
    ) -> dict[Need, Tensor]:
        """All rows in eval mode, from batches of one size; if that does not fit into memory, of half the size."""
        while True:
            try:
                with self._scoring(seeds):
                    return collect(ids, self.batch, rows, out)
            except RuntimeError as error:
                if self.batch < 2 * SMALLEST or not out_of_memory(error):
                    raise
                self.batch //= 2

    @contextmanager
    def _scoring(self, seeds: Seeds) -> Iterator[None]:
        """Inside, modules are in eval mode, no gradients are kept, and no global generator moves."""
        with evaluating(*vars(self.fitted.modules).values()), Chance(seeds, self.device).turn("score"):
            yield

    def _parts(self, x: Any) -> Parts:
        return self._forward(self.fitted.modules.net, x)

    def _forward(self, net: EmbeddingNet, x: Any) -> Parts:
        dtype = PRECISIONS[self.factory.precision]
        with torch.autocast(torch.device(self.device).type, dtype, enabled=dtype is not None):
            z, taps = net.embed(x)
            logits = net.head(z)
        if logits.ndim != 2 or logits.shape[1] != self.task.outputs:
            raise BadShape(
                f"the model's outputs have shape {tuple(logits.shape)} for {len(z)} items and the task needs "
                f"({len(z)}, {self.task.outputs}): give its last layer {self.task.outputs} outputs, or let its class "
                "take an argument `outputs`",
                got=tuple(logits.shape),
            )
        return z, taps, logits

    def _draws(self, needs: Sequence[Need]) -> dict[str, int]:
        """How many draws are wanted of each need that is drawn, by name."""
        found: dict[str, int] = {}
        for name, draws in filter(None, map(self._source, needs)):
            found[name] = max(found.get(name, 0), draws)
        return found

    def _source(self, need: Need) -> tuple[str, int] | None:
        """The drawn need that this one is made of, and how many draws; None where it is of no draws."""
        drawn = {one.name for one in self.task.drawn}
        if need.name in drawn:
            return need.name, int(need["draws"])
        if need.name in TALLIED and MC_PROBS.name in drawn:
            return MC_PROBS.name, int(need["draws"])
        named = next((name for name in drawn if self._plain(name).name == need.name), "")
        return (named, self.most_draws) if named and self.most_draws else None

    def _of_draws(self, need: Need, sampled: Mapping[str, Tensor]) -> Tensor:
        """The need's rows from draws (n, K, …): themselves, their sums, or their mean."""
        name, draws = self._source(need) or ("", 0)
        rows = sampled[name][:, :draws]
        if need.name == name:
            return rows
        return tallied(need, tally_of(rows)) if need.name in TALLIED else rows.mean(1)

    def _plain(self, name: str) -> Need:
        """The need that one draw of this one is: the task makes both by the same method."""
        method = _method(self.task.drawn, Need(name))
        return next((need for need, other in self.task.offers.items() if other == method), Need(name))

    def _draw(self, need: Need, x: Any, parts: Parts) -> Tensor:
        return self._row(need, Outputs(x, *parts))

    def _row(self, need: Need, outputs: Outputs) -> Tensor:
        by_scheme, by_task = (_method(offers, need) for offers in (self.scheme.offers, self.task.offers))
        if by_scheme:
            return _full(getattr(self.scheme, by_scheme)(self.fitted.run, outputs))
        if not by_task:
            raise UnmetNeeds(f"there is no {need}: there is {', '.join(sorted(self.provides))}", [str(need)])
        return _full(getattr(self._task, by_task)(self._logits(outputs)))

    def _logits(self, outputs: Outputs) -> Tensor:
        return _full(self.scheme.logits(self.fitted.run, outputs))

    def _function(self, pool: Pool, need: Need) -> Callable[..., Any]:
        """A function of copies: nothing that a strategy does reaches the fitted modules."""
        if need.name == HEAD.name:
            return Head(self.fitted.modules.net.head)
        if need.name == NETWORK.name:
            items, form = self._items(pool), self.adapted(pool).form
            return NetworkCopy(self.fitted.run, self.scheme.logits, items, form, self.marks)
        method = _method(self.scheme.functions, need)
        if not method:
            raise UnmetNeeds(f"there is no {need}: there is {', '.join(sorted(self.provides))}", [str(need)])
        run = copy(self.fitted.run)
        run.m = deepcopy(run.m)
        return partial(getattr(self.scheme, method), run)

    @property
    def _nets(self) -> tuple[Any, ...]:
        """Networks whose mean is what is predicted."""
        return self.scheme.committee(self.fitted.run) or (self.fitted.modules.net,)

    def _sampler(self, items: Items, ids: Tensor, seeds: Seeds) -> MCDropout | Members:
        if self.most_draws:
            return Members(self._forward, self.fitted.modules.net, self._nets)
        return MCDropout(
            self._parts,
            tuple(vars(self.fitted.modules).values()),
            seeds,
            partial(first_batch, items),
            ids if len(ids) else torch.zeros(1, dtype=torch.int64),
            self.factory.consistent,
        )

    def _items(self, pool: Pool) -> Items:
        return self.adapted(pool).items("eval").to(self.device)

    def _tried(self) -> bool:
        """Whether the model drops anything; refuses one that does not fit two blank items."""
        with lend(torch.Generator().manual_seed(0)):
            net: Any = self.scheme.network(self.make())
            if self.form.kind == "other":
                return True
            x = first_batch(Blank(self.form), torch.zeros(2, dtype=torch.int64))
            try:
                return reachable(partial(self._forward, net), [net], x) > 0
            except AskwellError:
                raise
            except Exception as error:
                raise InputError(
                    f"model {self.factory.model!r} does not take items of kind {self.form.kind!r} and shape "
                    f"{self.form.shape}: {error}",
                    got=self.form,
                ) from error


def _method(offers: Mapping[Need, str], need: Need) -> str:
    """The method that computes a need, whatever its parameters and set; "" where there is none."""
    return next((method for offer, method in offers.items() if offer.name == need.name), "")


def _full(rows: Tensor) -> Tensor:
    return rows.float() if rows.dtype in (torch.bfloat16, torch.float16) else rows


def _resolved(model: Any) -> Any:
    if model is None:
        raise InputError("no network was chosen: give `model`, such as mlp, small_cnn, text_cnn or module:Class")
    found = _found(model) if isinstance(model, str) else model
    if not callable(found) and not hasattr(found, "build"):
        raise InputError(f"model {model!r} is neither a name nor a class or function that makes a network", got=model)
    return found() if isinstance(found, type) and hasattr(found, "build") else found


def _found(name: str) -> Any:
    try:
        return find("models", name)
    except UnknownName:
        if not name.startswith("__main__:"):
            raise
        raise InputError(
            f"model {name!r} was defined in a script or notebook that does not run now: run its definition first, "
            "or move it to a module that can be imported",
            got=name,
        ) from None


def _called(model: Callable[..., Any], **offered: Any) -> Any:
    """What a class or function makes, given what it has arguments for."""
    takes = _arguments(model)
    missing = [name for name, needed in takes.items() if needed and name not in offered]
    if missing:
        raise InputError(
            f"model {_name(model)!r} needs the arguments {', '.join(missing)}: give them defaults, since only "
            "`outputs` and `form` are filled in",
            got=model,
        )
    return model(**{name: value for name, value in offered.items() if name in takes})


def _arguments(model: Callable[..., Any]) -> dict[str, bool]:
    """Name of each argument, and whether it has to be given; none where Python cannot tell."""
    try:
        found = inspect.signature(model).parameters.values()
    except ValueError:
        return {}
    named = [one for one in found if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    return {one.name: one.default is one.empty for one in named}


def _address(model: Any) -> str:
    """ "module:name" of a class or function."""
    name = _name(model)
    if "<" in name:
        raise InputError(
            f"model {name!r} cannot be found by name: move it to the top level of a module, under a name of its own",
            got=model,
        )
    return f"{model.__module__}:{name}"


def _name(model: Any) -> str:
    return str(getattr(model, "__qualname__", "<unnamed>"))
