"""One fit, as a scheme sees it: modules, streams, updates, acts, clocks. All that must survive a pause lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.learner import FitReport, Job
from askwell.core.pool import Form, Items, Pool
from askwell.core.registry import name_of
from askwell.core.scheme import Draw, Facts, Scheme, Stop, Tick
from askwell.core.seeds import Seeds
from askwell.core.spec import config
from askwell.core.task import Task
from askwell.errors import InputError, UndeclaredNeed, UnknownName
from askwell.training.augment import view
from askwell.training.build import Policy, Sources, initialise
from askwell.training.chance import Chance, lend
from askwell.training.clock import Phase
from askwell.training.mc_dropout import MCDropout
from askwell.training.modes import evaluating, pieces
from askwell.training.record import module_facts, stream_facts, update_facts
from askwell.training.session import Session
from askwell.training.streams import FitStream, Source, first_batch
from askwell.training.tensors import restore, tensors
from askwell.training.update import FitUpdate

__all__ = ["FitRun"]

CHUNK = 256
"""Items of one forward pass in `compute`: fixed, because bits depend on it."""
FEW = 64
"""Items that a rehearsal computes for; their rows stand for the rest."""
Makers = Mapping[str, Callable[[], nn.Module]]


@dataclass
class FitRun:
    """The kit's `core.scheme.Run`.

    name     path of a child run, empty for the fit itself
    makers   modules that the learner brings: `net`
    session  what the fit shares with its child runs
    changes  counts changes of the set of modules
    """

    scheme: Scheme
    pool: Pool
    job: Job
    task: Task
    makers: Makers
    seeds: Seeds
    session: Session
    name: str = ""
    m: SimpleNamespace = field(default_factory=SimpleNamespace)
    memory: dict[str, Any] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)
    report: FitReport = field(default_factory=FitReport)
    changes: int = 0

    def __post_init__(self) -> None:
        self.facts = _facts(self.job, self.task)
        self.previous = self.job.previous if "previous" in self.scheme.reads else {}
        self.votes = self.job.votes if "votes" in self.scheme.reads else None
        self.children: dict[str, FitRun] = {}
        self._items: dict[str, Items] = {}
        self._phases: set[str] = set()
        self._eras = 0
        self._open(self.seeds)

    @property
    def form(self) -> Form:
        """What one item looks like as a tensor."""
        return self.pool.form

    def build(self, policy: Policy = "scratch", **makers: Callable[[], nn.Module]) -> SimpleNamespace:
        """Modules by name, on the fit's device, initialised by name; the learner's own `net` unless one is given.

        policy  scratch | warm | ("given", path) | ("saved", name) | ("shrink_perturb", s, n)
        """
        missing = {} if hasattr(self.m, "net") else {"net": lambda: self.scheme.network(self.makers["net"]())}
        for name, maker in {**missing, **makers}.items():
            if name == "task":
                raise InputError("no module may be called 'task': what the task has learned is saved by that name")
            if hasattr(self.m, name):
                raise InputError(f"module {name!r} is built already: call `run.fresh()` first, or give another name")
            setattr(self.m, name, self._module(policy, name, maker))
        self._changed()
        return self.m

    def stream(
        self, name: str, size: int, draw: str | Draw | None = None, views: Sequence[str] = ("train",)
    ) -> FitStream:
        """Endless rows of "labelled", "unlabelled", "validation" or a `Draw`; `name` seeds order and views."""
        if size < 1:
            raise InputError(f"stream {name!r} has size {size}: allowed are sizes from 1", got=size)
        _refuse_again("stream", name, self.streams)
        rows = self._on_device(draw) if isinstance(draw, Draw) else self.draw(draw or name)
        augment = getattr(self.scheme, "augment", ())
        sources = [
            Source(self._served("eval" if one == "eval" else "train"), view(one, augment, self.form)) for one in views
        ]
        note = partial(self.session.event, "next", self.label(name))
        made = FitStream(rows, size, sources, self._own.child("stream", name), note)
        self.streams[name] = made
        self._describe("streams", name, partial(stream_facts, draw or name, len(rows.ids), size, views, augment))
        return made

    def update(
        self,
        name: str,
        *modules: nn.Module,
        lr: float,
        kind: str = "adam",
        schedule: tuple[Any, ...] = ("constant",),
        clip: float = 0.0,
        **args: Any,
    ) -> FitUpdate:
        """An optimiser over the modules' parameters, with its own random stream. `args` are the optimiser's own."""
        _refuse_again("update", name, self.updates)
        made = FitUpdate(self, name, modules, lr=lr, kind=kind, schedule=schedule, clip=clip, args=args)
        self.updates[name] = made
        numbers = {"kind": kind, "lr": lr, "schedule": schedule, "clip": clip, **args}
        self._describe("updates", name, partial(update_facts, self.m, modules, numbers))
        return made

    def act(self, name: str, fn: Callable[..., Any], *args: Any) -> None:
        """A change without gradients (EMA, CD-k, clipping): no grad, own random stream, recorded."""
        with self.moving("act", name), torch.no_grad():
            fn(*args)

    def clock(self, phase: str, length: int, epoch: int = 50, stop: Stop | None = None) -> Iterator[Tick]:
        """Ticks of one phase; asks `stop` every `epoch` steps and after the last."""
        if phase in self._phases:
            raise InputError(f"phase {phase!r} ran already: give each phase of a fit its own name", got=phase)
        self._phases.add(phase)
        self.session.event("phase", self.label(phase), {"length": length, "epoch": epoch, "stop": config(stop)})
        return Phase(self, phase, length, epoch, stop).ticks()

    def compute(self, fn: Callable[[Any], Tensor], ids: Tensor, *modules: nn.Module) -> Tensor:
        """fn over eval items in eval mode, (n, …) in the order of ids, without gradients.

        Modes come back and no global generator moves; in a rehearsal the rows of a few items stand for the rest.
        """
        self.session.event("compute", self.label(""))
        ids = ids.to(self.session.device)
        if self.session.mode == "fit" or len(ids) <= FEW:
            return self._computed(fn, ids, modules)
        return self._computed(fn, ids[:FEW], modules)[torch.arange(len(ids), device=ids.device) % FEW]

    def drawn(self, net: nn.Module, fn: Callable[[Tensor], Tensor], ids: Tensor, draws: int, turn: int = 0) -> Tensor:
        """(n, …) fn over the outputs (n, K, O) of K passes with dropout over eval items; no generator moves.

        Masks depend on (seeds, turn, item, draw). Raises `UnmetNeeds` where the net drops nothing.
        """
        self.session.event("drawn", self.label(""))
        ids = ids.to(self.session.device)
        if self.session.mode == "fit" or len(ids) <= FEW:
            return self._sampled(net, fn, ids, draws, turn)
        return self._sampled(net, fn, ids[:FEW], draws, turn)[torch.arange(len(ids), device=ids.device) % FEW]

    def keep(self, name: str) -> None:
        """A deep copy of all modules into `saved`, to build from or to use as a frozen teacher."""
        self.saved[name] = deepcopy(self.m)
        self.changes += 1

    def fresh(self) -> None:
        """Drops modules, streams and updates between phases; later streams and updates get seeds of their own."""
        self.settle()
        vars(self.m).clear()
        self._eras += 1
        self._open(self.seeds.child("fresh", self._eras))
        self._changed()

    def child(self, name: str, **changes: Any) -> FitRun:
        """A run with its own seeds; `changes` replace parts of the job, or the scheme."""
        known = [one.name for one in fields(Job)]
        for key in changes:
            if key not in (*known, "scheme"):
                raise UnknownName("change of a child run", key, [*known, "scheme"])
        if self.session.outside and name in self.children:
            raise InputError(f"child run {name!r} exists already: give each its own name", got=name)
        scheme = changes.pop("scheme", self.scheme)
        self.children[name] = FitRun(
            scheme, self.pool, replace(self.job, **changes), self.task, self.makers,
            self.seeds.child("child", name), self.session, self.label(name),
        )  # fmt: skip
        return self.children[name]

    def draw(self, name: str) -> Draw:
        """The rows of "labelled", "unlabelled" or "validation"; what the scheme does not read is refused."""
        known = {"labelled": self._labelled, "unlabelled": self._unlabelled, "validation": self._validation}
        if name not in known:
            raise UnknownName("draw", name, known)
        if name not in self.scheme.reads:
            raise UndeclaredNeed(
                f"scheme {name_of(type(self.scheme))!r} read {name!r} items but `reads` does not declare them", [name]
            )
        return self._on_device(known[name]())

    @contextmanager
    def moving(self, kind: str, name: str, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Inside, weights may move, and global draws come from the stream of this name."""
        guard = self.session.guard
        if guard:
            guard.check(self.name, self.m)
            check()
        self.session.event(kind, self.label(name))
        with self._chance.turn(f"{kind}/{name}"):
            yield
        if guard:
            guard.accept(self.name, self.m)

    def settle(self) -> None:
        """Reads the losses of all updates into the report; one that is not a number raises `Diverged`."""
        for name, update in self.updates.items():
            mean = update.settle()
            if mean is not None:
                self.report.losses[name] = mean
            self.report.updates[name] = update.steps
        for child in self.children.values():
            child.settle()

    def bring_back(self, name: str) -> None:
        """The tensors of all modules as `keep(name)` copied them; the copy is dropped."""
        kept = self.saved.pop(name)
        with self.moving("act", f"bring back {name}"):
            restore(self.m, tensors(kept))
        self.changes += 1

    def finish(self) -> None:
        """Ends the fit: modules in eval mode, losses read, streams and optimisers dropped."""
        self.settle()
        if self.session.guard:
            self.session.guard.check(self.name, self.m)
        for module in vars(self.m).values():
            module.eval()
        for name, child in self.children.items():
            child.finish()
            self.report.steps += child.report.steps
            self.report.updates |= {f"{name}/{key}": count for key, count in child.report.updates.items()}
        self._open(self._own)

    def state(self) -> dict[str, Any]:
        """All that must survive a pause; not a copy."""
        return {
            "modules": {name: module.state_dict() for name, module in vars(self.m).items()},
            "streams": {name: stream.state() for name, stream in self.streams.items()},
            "updates": {name: update.state() for name, update in self.updates.items()},
            "children": {name: child.state() for name, child in self.children.items()},
            "chance": self._chance.state(),
            "memory": self.memory,
            "saved": self.saved,
            "report": self.report,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts everything that the scheme has opened so far where `state` found it."""
        state = deepcopy(dict(state))
        for name, module in vars(self.m).items():
            module.load_state_dict(state["modules"][name])
        for kind in ("streams", "updates", "children"):
            for name, opened in getattr(self, kind).items():
                opened.restore(state[kind][name])
        self._chance.restore(state["chance"])
        for mine, kept in ((self.memory, state["memory"]), (self.saved, state["saved"])):
            mine.clear()
            mine.update(kept)
        vars(self.report).update(vars(state["report"]))
        self._changed()

    def all_modules(self) -> list[nn.Module]:
        """Every module that a forward pass of this fit may touch: built or kept, here or in a child run."""
        kept = [module for one in self.saved.values() for module in vars(one).values()]
        below = [module for child in self.children.values() for module in child.all_modules()]
        return [*vars(self.m).values(), *kept, *below]

    def label(self, name: str) -> str:
        """A name within this run, unique within the fit."""
        return "/".join(part for part in (self.name, name) if part)

    def _open(self, seeds: Seeds) -> None:
        self._own, self._chance = seeds, Chance(seeds, self.session.device)
        self.streams: dict[str, FitStream] = {}
        self.updates: dict[str, FitUpdate] = {}

    def _module(self, policy: Policy, name: str, maker: Callable[[], nn.Module]) -> nn.Module:
        with lend(self.seeds.torch("init", name)):
            module = maker()
        sources = Sources(self.previous, {key: vars(one) for key, one in self.saved.items()})
        left = initialise(module, name, policy, sources)
        if left:
            self.report.notes[f"fresh tensors of {name}"] = left
        self._describe("modules", name, partial(module_facts, module, policy))
        return module.to(self.session.device)

    def _computed(self, fn: Callable[[Any], Tensor], ids: Tensor, modules: Sequence[nn.Module]) -> Tensor:
        items = self._served("eval")
        with evaluating(*(modules or vars(self.m).values())), self._chance.turn("compute"), self.session.autocast():
            if not len(ids):
                return fn(first_batch(items, ids.new_zeros(1))[:0])
            out: Tensor | None = None
            for where in pieces(len(ids), CHUNK):
                rows = _full(fn(first_batch(items, ids[where])))
                out = rows.new_empty(len(ids), *rows.shape[1:]) if out is None else out
                out[where] = rows
        assert out is not None
        return out

    def _sampled(self, net: nn.Module, fn: Callable[[Tensor], Tensor], ids: Tensor, draws: int, turn: int) -> Tensor:
        batch, some = partial(first_batch, self._served("eval")), ids if len(ids) else ids.new_zeros(1)
        with self._chance.turn("compute"), self.session.autocast():
            mc = MCDropout(net, [net], self.seeds.child("drawn", turn), batch, some, consistent=False)

            def rows(of: Tensor) -> Tensor:
                return _full(fn(mc(batch(of), of, draws, lambda outputs: outputs)[1]))

            if not len(ids):
                return rows(some)[:0]
            return torch.cat([rows(ids[where]) for where in pieces(len(ids), CHUNK)])

    def _served(self, mode: Any) -> Items:
        if mode not in self._items:
            self._items[mode] = self.pool.items(mode).to(self.session.device)
        return self._items[mode]

    def _labelled(self) -> Draw:
        return Draw(self.job.labelled, self.job.targets, self.job.weights)

    def _unlabelled(self) -> Draw:
        return Draw(self.job.unlabelled)

    def _validation(self) -> Draw:
        return Draw(self.job.validation, self.job.validation_targets)

    def _on_device(self, draw: Draw) -> Draw:
        device = self.session.device
        return Draw(*(None if part is None else part.to(device) for part in (draw.ids, draw.y, draw.w, draw.p)))  # type: ignore[arg-type] # ids are there

    def _changed(self) -> None:
        self.changes += 1
        if self.session.guard:
            self.session.guard.accept(self.name, self.m)

    def _describe(self, kind: str, name: str, facts: Callable[[], Any]) -> None:
        label = self.label(f"{name} (after fresh {self._eras})" if self._eras else name)
        self.session.open(kind, label, facts)


def _facts(job: Job, task: Task) -> Facts:
    return Facts(
        outputs=task.outputs,
        num_classes=task.num_classes,
        n_labelled=len(job.labelled),
        n_unlabelled=len(job.unlabelled),
        n_validation=len(job.validation),
        round=job.round,
        batches=tuple(len(one) for one in job.batches),
    )


def _full(rows: Tensor) -> Tensor:
    return rows.float() if rows.dtype in (torch.bfloat16, torch.float16) else rows


def _refuse_again(kind: str, name: str, known: Mapping[str, Any]) -> None:
    if name in known:
        raise InputError(f"{kind} {name!r} is open already: give each use its own name", got=name)
