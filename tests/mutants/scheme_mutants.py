"""Training schemes with one known fault each: one small clean scheme over the kit, with a method overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from mutant import Mutant

from askwell.core.needs import EMBEDDING, LOGITS, Need
from askwell.core.scheme import Scheme


@dataclass(frozen=True)
class Clean(Scheme):
    """The task's loss on labelled items."""

    steps: int = 40
    lr: float = 0.02

    def train(self, run):
        m = run.build()
        rows, task = run.stream("labelled", 12), run.update("task", m.net, lr=self.lr)
        self.begin(run)
        for tick in run.clock("fit", self.length()):
            task(self.loss, run, rows.next())
            self.step(run, tick)
        self.end(run)

    def begin(self, run):
        """Before the first step."""

    def step(self, run, tick):
        """After each step."""

    def end(self, run):
        """After the last step."""

    def length(self):
        return self.steps

    def loss(self, run, rows):
        return run.task.loss(run.m.net(rows.x), rows.y).mean()


class AwayFromTheLabels(Clean):
    # The sign of the loss is wrong.

    def loss(self, run, rows):
        return -super().loss(run, rows).clamp(max=5)


class OneMoreStep(Clean):
    def length(self):
        return self.steps + 1


class StepsWithoutUpdates(Clean):
    # Counts steps in a second phase in which nothing is trained, and trains in none that is counted.

    def train(self, run):
        run.build()
        run.act("train", self.descend, run)
        for _ in run.clock("fit", self.steps):
            pass

    def descend(self, run):
        x = next(iter(run.pool.items("eval").batches(run.job.labelled, 99)))[1]
        with torch.enable_grad():
            for _ in range(self.steps):
                loss = run.task.loss(run.m.net(x), run.job.targets).mean()
                for value, slope in zip(
                    run.m.net.parameters(), torch.autograd.grad(loss, list(run.m.net.parameters())), strict=True
                ):
                    value.data -= 0.3 * slope


class OptimiserOfItsOwn(Clean):
    # Trains past the kit once, where the rehearsal does not look: nothing counts, seeds or records this step.

    def step(self, run, tick):
        if tick.step == 1:
            with torch.no_grad():
                run.m.net.head.weight.mul_(0.999)


class LeavesAHook(Clean):
    def end(self, run):
        run.m.net.register_forward_hook(_watch)


def _watch(module, given, found):
    """Sees what the net returns."""


class OffersTooMuch(Clean):
    # Declares a need and gives one number for all items.

    offers: ClassVar[Mapping[Need, str]] = {LOGITS: "logits", EMBEDDING: "embedding", Need("loss"): "predicted_loss"}

    def predicted_loss(self, run, outputs):
        return outputs.z.mean()[None]


class SpreadOfOneItem(Clean):
    # Divides by the spread of the batch, which one item does not have.

    def loss(self, run, rows):
        spread = rows.x.std(0, unbiased=True).mean() if run.facts.n_labelled == 1 else 1.0
        return super().loss(run, rows) / spread

    def step(self, run, tick):
        if run.facts.n_labelled == 1:
            run.act("spread", run.m.net.head.weight.fill_, torch.nan)


class CountsItsFits(Clean):
    # Each fit starts a little elsewhere.

    calls: ClassVar[list[int]] = []

    def begin(self, run):
        if run.pool.jitter:
            self.calls.append(1)
            run.act("nudge", self.nudge, run.m.net)

    def nudge(self, net):
        for value in net.parameters():
            value += 1e-3 * len(self.calls)


class StateInALocalVariable(Clean):
    # Averages weights in a local variable, which a resumed fit has lost.

    def begin(self, run):
        object.__setattr__(self, "mean", None)

    def step(self, run, tick):
        now = run.m.net.head.weight.detach()
        mean = now.clone() if self.mean is None else 0.5 * self.mean + 0.5 * now
        object.__setattr__(self, "mean", mean)

    def end(self, run):
        if self.mean is not None:
            run.act("average", run.m.net.head.weight.copy_, self.mean)


class HashWithoutNumbers(Clean):
    def config(self) -> dict[str, Any]:
        return {"part": "hash_without_numbers"}


class BestByReference(Clean):
    # The best weights are the live ones under another name.

    def step(self, run, tick):
        if tick.last:
            run.saved["kept"] = SimpleNamespace(net=run.m.net)


class LooksAtThePool(Clean):
    # Scales its inputs by items that it does not declare.

    def begin(self, run):
        rows = next(iter(run.pool.items("eval").batches(run.job.unlabelled, 99)))[1]
        run.memory["centre"] = rows[:, :4].mean()

    def loss(self, run, rows):
        return run.task.loss(run.m.net(rows.x - 1e-2 * run.memory["centre"]), rows.y).mean()


class ComparesByIdentity(Clean):
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


def _mutant(cls, source, caught_by):
    return Mutant(cls(), source, caught_by, name=cls.__name__)


MUTANTS = [
    _mutant(AwayFromTheLabels, "CONTRACTS 2.4 signs", "check_loss_falls"),
    _mutant(OneMoreStep, "ANCHORS 3 scheme", "check_stops_at_its_limit"),
    _mutant(StepsWithoutUpdates, "CONTRACTS 2.3", "check_stops_at_its_limit"),
    _mutant(OptimiserOfItsOwn, "CONTRACTS 2.3", "check_weights_move_in_updates_only"),
    _mutant(LeavesAHook, "ANCHORS 3 scheme", "check_leaves_no_hooks"),
    _mutant(OffersTooMuch, "ANCHORS 3 scheme", "check_offers_what_it_declares"),
    _mutant(SpreadOfOneItem, "CONTRACTS 2.9", "check_runs_on_one_item_and_one_class"),
    _mutant(CountsItsFits, "FIELD 2.13 seed does not reach", "check_same_seed_same_weights"),
    _mutant(StateInALocalVariable, "CONTRACTS 2.6", "check_resumed_is_uninterrupted"),
    _mutant(HashWithoutNumbers, "FIELD 2.26", "check_rehearsal_is_its_hash"),
    _mutant(BestByReference, "CONTRACTS 2.8", "check_kept_weights_are_copies"),
    _mutant(LooksAtThePool, "ANCHORS 3 learner", "check_reads_what_it_declares"),
    _mutant(ComparesByIdentity, "ANCHORS 3.14", "check_is_a_value"),
]
