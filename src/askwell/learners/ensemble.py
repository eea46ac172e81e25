"""Several models in place of one: their mean is what is predicted, their disagreement is what strategies read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import MC_PROBS, Need, Over
from askwell.core.pool import Form, Pool
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.spec import digest
from askwell.core.task import Task
from askwell.core.view import Sliced
from askwell.errors import BadData, InputError, UnmetNeeds
from askwell.functional.tally import Tally
from askwell.learners.around import Around, answers_of
from askwell.learners.collect import collect
from askwell.learners.members import TALLIED, tallied
from askwell.learners.net import Net
from askwell.learners.parts import gathered, own, prefixed, scattered
from askwell.learners.weights import read, write

__all__ = ["Ensemble", "EnsembleLearner"]

log = logging.getLogger("askwell")

ROWS = 4096
MEMBER = "member"


@dataclass(frozen=True)
class Ensemble(Around):
    """Trains K learners of one kind on the same labels, each from a seed of its own.

    members      K, at least 2
    of           the learner that each member is: a network, a linear head, an estimator, …
    bootstrap    each member learns M labelled items drawn with replacement from the M that there are; needed where a
                 fit does not depend on its seed, as that of `Linear`
    inner_draws  0: a member says what it says without draws of its own, such as dropout; else how many of its own
                 draws each member gives, by dropout, Gaussian weights or checkpoints

    Draw k of `mc_probs`, `mc_label_probs` and `mc_predictions` is what member k says, so that `draws` may not exceed K
    and two draws are the first two members. With T inner draws there are K·T: draw k is number k // K of member k % K.
    `probs`, `label_probs`, `predictions` and what is predicted are the mean of what members say without dropout. All
    else, such as `embedding`, `head` and `logits`, is that of the first member. `mean_probs`, `mean_entropy` and
    `vote_shares` sum over the same draws, of which they keep one member's at a time.

    Members are trained one after the other and are all kept: K times the time of a fit and the memory of a model.
    Scoring reads the pool K times, a few thousand items at a time.

    Lakshminarayanan, Pritzel and Blundell 2017, arXiv 1612.01474; in active learning: Beluch et al. 2018,
    doi:10.1109/CVPR.2018.00976. Bootstrap: Breiman 1996, doi:10.1007/BF00058655. Of networks with dropout: Pop and
    Fulop 2018, arXiv 1811.03897.

    >>> Ensemble(members=3).most_draws, Ensemble(members=3, inner_draws=100).most_draws
    (3, 300)
    """

    members: int = 5
    of: Any = field(default_factory=Net)
    bootstrap: bool = False
    inner_draws: int = 0

    def __post_init__(self) -> None:
        if self.members < 2:
            raise InputError(f"members must be at least 2, got {self.members}", got=self.members)
        if self.inner_draws < 0:
            raise InputError(f"inner_draws must not be negative, got {self.inner_draws}", got=self.inner_draws)
        super().__post_init__()

    @property
    def most_draws(self) -> int:
        """K, or K·T: a strategy cannot have more draws."""
        return self.members * max(1, self.inner_draws)

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> EnsembleLearner:
        """A learner that has not been fitted; refuses what a member refuses."""
        return EnsembleLearner(self, task, partial(self.of.build, form, task, scheme, device))


class EnsembleLearner(Learner):
    """K fitted learners."""

    def __init__(self, factory: Ensemble, task: Task, make: Callable[[], Learner]) -> None:
        self.factory, self.make, self.blank = factory, make, make()
        self.warm, self.most_draws = self.blank.warm, factory.most_draws
        self.single, self.drawn = answers_of(task)
        self._check_inner(factory.inner_draws)
        self._fitted: tuple[Learner, ...] = ()

    @property
    def provides(self) -> Set[str]:
        sums = TALLIED if self.drawn.name == MC_PROBS.name else set()
        return {*self.blank.provides, self.drawn.name, *sums}

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        fresh = tuple(self.make() for _ in range(self.factory.members))
        reports = [
            member.fit(pool, *self._lesson(job, place, seeds), self._shown(progress, place))
            for place, member in enumerate(fresh)
        ]
        self._fitted = fresh
        return _together(reports)

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        calls = [need for need in needs if need.kind == "call"]
        found = self.members[0].compute(pool, calls, sets, seeds) if calls else {}
        rows = [need for need in needs if need.kind == "rows"]
        for over in dict.fromkeys(need.over for need in rows):
            wanted = [need for need in rows if need.over == over]
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            found |= collect(ids, ROWS, partial(self._rows, pool, wanted, seeds), out)
        for need in rows:
            if need.name == self.drawn.name:
                _warn_if_equal(found[need][:ROWS])
        return found

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        first, *others = self.members
        total = first.predict(pool, ids)
        for member in others:
            total = total + member.predict(pool, ids)
        return total / len(self.members)

    def state(self) -> dict[str, Tensor]:
        return prefixed({part: member.state() for part, member in _named(self.members).items()})

    def save(self, path: Path) -> str:
        return write(path, gathered(_named(self.members), path.name))

    def load(self, path: Path) -> None:
        values, fresh = read(path), tuple(self.make() for _ in range(self.factory.members))
        found = {".".join(key.split(".")[:2]) for key in values}
        if found != set(_named(fresh)):
            raise BadData(f"{path} does not hold the {len(fresh)} members of {self.factory!r}", got=sorted(found))
        scattered(values, _named(fresh), path.name)
        self._fitted = fresh

    @property
    def members(self) -> tuple[Learner, ...]:
        """The members of the last fit, in order."""
        if not self._fitted:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._fitted

    def _lesson(self, job: Job, place: int, seeds: Seeds) -> tuple[Job, Seeds]:
        """What one member learns, and its seeds, whatever the number of members."""
        seeds = seeds.child(MEMBER, place)
        mine = replace(job, previous=own(job.previous, f"{MEMBER}.{place}"))
        return (_resampled(mine, seeds) if self.factory.bootstrap else mine), seeds

    def _shown(self, progress: Progress | None, place: int) -> Progress | None:
        """Progress of one member as a part of that of all."""
        if progress is None:
            return None
        count = self.factory.members
        return lambda what, done, total: progress(what, place * total + done, count * total)

    def _rows(self, pool: Pool, needs: Sequence[Need], seeds: Seeds, ids: Tensor) -> dict[Need, Tensor]:
        """All needs of one set for some items: one pass of each member that they ask for, whose draws are summed up."""
        said: dict[Need, list[Tensor]] = {need: [] for need in needs}
        tallies: dict[Need, Tally] = {}
        for place, member in enumerate(self.members):
            asked = {need: ask for need in needs if (ask := self._asked(need, place)) is not None}
            wanted = list(dict.fromkeys(asked.values()))
            told = member.compute(pool, wanted, {needs[0].over: ids}, seeds.child(MEMBER, place)) if wanted else {}
            for need, ask in asked.items():
                rows = _dense(told[ask])
                if need.name in TALLIED:
                    tallies.setdefault(need, Tally(len(ids), rows.shape[-1])).extend(self._own_draws(rows))
                else:
                    said[need].append(rows)
        sums = {need: tallied(need, tally) for need, tally in tallies.items()}
        return sums | {need: self._joined(need, rows) for need, rows in said.items() if need not in sums}

    def _asked(self, need: Need, place: int) -> Need | None:
        """What a need asks of one member: its own draws or answer, the need itself, or nothing."""
        if need.name == self.drawn.name or need.name in TALLIED:
            draws = max(0, -(-(self._counted(need) - place) // len(self.members)))
            own = self.drawn(draws=draws) if self.factory.inner_draws else self.single
            return own.at(need.over) if draws else None
        return need if place == 0 or need.name == self.single.name else None

    def _joined(self, need: Need, said: Sequence[Tensor]) -> Tensor:
        """What the members said: draws in turn, the mean of answers, or what the first one said."""
        if need.name == self.drawn.name:
            count, rows = len(self.members), [self._own_draws(one) for one in said]
            return torch.stack([rows[k % count][:, k // count] for k in range(int(need["draws"]))], 1)
        return torch.stack(list(said)).mean(0) if need.name == self.single.name else said[0]

    def _own_draws(self, rows: Tensor) -> Tensor:
        """(n, T, …) of one member; without inner draws its answer (n, …) is the only one."""
        return rows if self.factory.inner_draws else rows[:, None]

    def _counted(self, need: Need) -> int:
        """How many draws a need asks for; refuses more than there are."""
        draws, most = int(need["draws"]), self.factory.most_draws
        if not 1 <= draws <= most:
            what = "draws" if self.factory.inner_draws else "members"
            raise UnmetNeeds(
                f"{need} asks for {draws} {what} and the ensemble has {most}: set draws to {most} or less, or train "
                "more members",
                [str(need)],
            )
        return draws

    def _check_inner(self, draws: int) -> None:
        """Refuses inner draws of members that have none, or fewer."""
        most = self.blank.most_draws
        if draws and (self.drawn.name not in self.blank.provides or (most is not None and most < draws)):
            has = "none" if most is None else str(most)
            raise UnmetNeeds(
                f"inner_draws of {self.factory!r} are {draws} and a member has {has}: give it dropout, Gaussian "
                "weights or as many checkpoints",
                [self.drawn.name],
            )


def _resampled(job: Job, seeds: Seeds) -> Job:
    """The job with M of its M labelled items, drawn with replacement."""
    size = len(job.labelled)
    drawn = torch.randint(size, (size,), generator=seeds.torch("bootstrap")) if size else job.labelled
    weights = None if job.weights is None else job.weights[drawn]
    return replace(job, labelled=job.labelled[drawn], targets=job.targets[drawn], weights=weights)


def _named(members: Sequence[Learner]) -> dict[str, Learner]:
    return {f"{MEMBER}.{place}": member for place, member in enumerate(members)}


def _together(reports: Sequence[FitReport]) -> FitReport:
    """Steps and updates of all members, means of their losses; what else they say one by one."""
    updates = [(name, count) for report in reports for name, count in report.updates.items()]
    losses = {name: [report.losses[name] for report in reports if name in report.losses] for name in reports[0].losses}
    return FitReport(
        steps=sum(report.steps for report in reports),
        epochs=max(report.epochs for report in reports),
        updates={name: sum(count for other, count in updates if other == name) for name, _ in updates},
        losses={name: fmean(values) for name, values in losses.items()},
        stopped=", ".join(dict.fromkeys(report.stopped for report in reports if report.stopped)),
        rehearsal=digest([report.rehearsal for report in reports]),
        notes={"members": [report.notes for report in reports]},
    )


def _dense(rows: Any) -> Tensor:
    found: Tensor = rows.dense() if isinstance(rows, Sliced) else rows
    return found


def _warn_if_equal(rows: Tensor) -> None:
    """rows (n, K, …): members that never differ have nothing to disagree about."""
    if rows.shape[1] > 1 and len(rows) and bool((rows == rows[:, :1]).all()):
        log.warning(
            "all %d members say the same of %d items: set bootstrap, or choose a learner whose fit depends on its seed",
            rows.shape[1],
            len(rows),
        )
