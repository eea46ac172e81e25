"""Deep Bayesian active semi-supervised learning: what is as certain as the labels is trained on as if known."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from torch import Tensor

from askwell.core.scheme import Draw, Facts, Run, Stream
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.uncertainty import entropy
from askwell.schemes.pseudo import Policy, PseudoStore
from askwell.schemes.supervised import Supervised
from askwell.training.build import policy_kind
from askwell.training.draws import joined, repeated
from askwell.training.measure import measure

__all__ = ["DeepBASS"]


@dataclass(frozen=True)
class DeepBASS(Supervised):
    """Labels, each `copies` times in a pass, and pseudo-labels of items that the net is as sure of as of the labels.

    In the first round `epochs` passes over the repeated labels alone. Then, in every round, `iterations` times: the
    threshold is the mean entropy of the labelled items, over `labelled_draws` passes with dropout; every other item
    whose entropy over `draws` passes is below it is taken in with its likeliest class; one pass over all of them.

    semisup  False: nothing is taken in, as in the paper's purely active arm
    revoke   False, as published: an item that was taken in stays, with the class of the latest look. True: it leaves
             once its entropy has reached the threshold, so that what is held depends on the current net alone
    start    accuracy on validation items, read where it is above 0, that the net must have to take items in; below it
             what is held stays as it is, but for items that have been labelled since
    steps    in place of `epochs`: at most so many in a fit, half of them before the first look

    The net goes on from the last round's (`policy`). Its dropout is what the method rests on. The passes of a look cost
    (draws·N + labelled_draws·M) forward passes of the part behind the first dropout.
    `notes["pseudo"]` counts the pseudo-labels after each look.

    Rottmann, Kahl & Gottschalk 2018, "Deep Bayesian Active Semi-Supervised Learning", arXiv 1803.01216; revoking and
    the start are ours.

    >>> sorted(DeepBASS().reads), sorted(DeepBASS(start=0.6).reads)
    (['labelled', 'previous', 'unlabelled'], ['labelled', 'previous', 'unlabelled', 'validation'])
    """

    epochs: int | None = 100
    batch: int = 256
    lr: float = 1e-3
    kind: str = "adam"
    schedule: str = "constant"
    weight_decay: float = 1e-3
    policy: str | tuple[Any, ...] = "warm"
    iterations: int = 10
    copies: int = 20
    draws: int = 10
    labelled_draws: int = 100
    semisup: bool = True
    revoke: bool = False
    start: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("iterations", 0), ("copies", 1), ("draws", 1), ("labelled_draws", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of scheme DeepBASS must be at least {least}, got {getattr(self, name)}")
        if self.steps is None and self.epochs is None:
            raise InputError("scheme DeepBASS needs epochs or steps, got neither")
        if self.stop or self.schedule != "constant":
            raise InputError(
                "scheme DeepBASS takes a fixed number of passes at one rate: leave out stop and schedule",
                got=self.stop or self.schedule,
            )

    @property
    def reads(self) -> frozenset[str]:
        """What `Supervised` reads, the unlabelled items, the last round's labels, and validation items for a start."""
        return super().reads | {"unlabelled", "previous"} | ({"validation"} if self.start else frozenset())

    def train(self, run: Run) -> None:
        if run.facts.num_classes is None:
            raise UnmetNeeds(f"scheme deep_bass needs one class per item, and task {run.task!r} has none")
        run.build(self.policy, **self.companions(run))
        run.build("warm", pseudo=PseudoStore)
        rows = self.rows(run)
        step = self.stepping(run, rows)
        for tick in run.clock("labels", self._first(run)):
            step(tick)
        for turn in range(self.iterations if run.facts.n_labelled else 0):
            self.look(run, turn)
            rows.refill(self._everything(run))
            for tick in run.clock(f"pass {turn}", self._pass(run)):
                step(tick)
        self.conclude(run)

    def rows(self, run: Run) -> Stream:
        """The labels, and what has been taken in."""
        return run.stream("labelled", self._size(run.facts), repeated(run.draw("labelled"), self.copies))

    def pass_length(self, facts: Facts) -> int:
        """Steps of a pass over the repeated labels."""
        return max(1, ceil(self.copies * facts.n_labelled / self.batch))

    def look(self, run: Run, turn: int) -> None:
        """Renews the pseudo-labels by what the net says now."""
        others = run.draw("unlabelled").ids.sort().values
        held = run.m.pseudo.labels.among(others)
        if self._ready(run):
            known = self._mean(run, run.draw("labelled").ids, self.labelled_draws, turn)
            probs = self._mean(run, others, self.draws, turn)
            sure = entropy(probs) < entropy(known).mean()
            policy: Policy = "volatile" if self.revoke else "relabelled"
            held = held.renewed(others, probs.argmax(1), sure, round=run.facts.round, policy=policy)
        run.act("look", run.m.pseudo.hold, held)
        run.report.notes["pseudo"] = [*run.report.notes.get("pseudo", []), len(held)]

    def _ready(self, run: Run) -> bool:
        return self.semisup and (not self.start or measure(run, "accuracy", "validation") >= self.start)

    def _mean(self, run: Run, ids: Tensor, draws: int, turn: int) -> Tensor:
        """(n, C) probabilities, averaged over passes with dropout."""

        def mean(outputs: Tensor) -> Tensor:
            probs = run.task.predict(outputs.flatten(0, 1))
            return probs.view(*outputs.shape[:2], -1).mean(1)

        return run.drawn(run.m.net, mean, ids, draws, turn)

    def _everything(self, run: Run) -> Draw:
        return joined(repeated(run.draw("labelled"), self.copies), run.m.pseudo.labels.draw())

    def _first(self, run: Run) -> int:
        """Steps on the labels alone; none where the net goes on from the last round's."""
        if not run.facts.n_labelled or (run.previous and policy_kind(self.policy) == "warm"):
            return 0
        return self.length(run.facts) // (2 if self.steps else 1)

    def _size(self, facts: Facts) -> int:
        """Rows of a step, through all of a fit."""
        return min(self.batch, max(2, self.copies * facts.n_labelled))

    def _pass(self, run: Run) -> int:
        """Steps of a pass over all that is held, within `steps`."""
        count = self.copies * run.facts.n_labelled + len(run.m.pseudo.labels)
        steps = ceil(count / self._size(run.facts))
        return steps if self.steps is None else max(0, min(steps, self.steps - run.report.steps))
