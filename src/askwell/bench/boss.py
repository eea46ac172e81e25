"""Best of strategies: how good the next batch could have been, judged with the hidden labels. A bound, no method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Generator, Tensor

from askwell.bench.medoids import balanced_medoids
from askwell.bench.refit import last_layers
from askwell.core.needs import EMBEDDING, HEAD, LABELS, Need
from askwell.core.registry import find
from askwell.core.spec import parse
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.errors import InputError, PoolExhausted, UnknownName, UnmetNeeds
from askwell.functional.flips import dropout_flips
from askwell.functional.pick import uniform

if TYPE_CHECKING:
    from askwell.engine.project import Project

__all__ = ["BoSS", "Hidden", "Outcome"]

Part = Literal["validation", "test"]
Judge = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Predicts (B, E) classes from (P, D) embeddings, (P,) classes, (B, M) members of each training set, and (E, D)."""
MEDOIDS, DOUBTED = "medoids", "doubted medoids"
"""The two ways to choose that know the labels: over the sub-pool, and over those whose class flips under dropout."""
NAMES = ("random", "typiclust", "dropquery", "bait", "margin", "badge", "coreset", "alfa_mix", MEDOIDS, DOUBTED)


@dataclass(frozen=True)
class Hidden:
    """What only the oracle may see: true classes (N,) of the candidates, (E, D) and (E,) of the evaluation set."""

    truth: Tensor
    embedding: Tensor
    labels: Tensor


class Outcome(NamedTuple):
    """The best batch, the errors (B,) of all batches in [0, 1], and by which name each was chosen."""

    ids: Tensor
    errors: Tensor
    names: tuple[str, ...]


@dataclass(frozen=True)
class BoSS:
    """An oracle for reports: of many batches by many strategies the one whose labels would have helped most.

    strategies   names or texts of strategies, of which each batch draws one evenly; "medoids" and "doubted medoids"
                 look at the hidden labels
    batches      B
    size         candidates in the random sub-pool that each batch is chosen from
    epochs       of training a fresh last layer on the labelled items and one batch
    evaluate_on  part of the data whose error decides in `hidden`: "validation", or "test", with which the bound is
                 optimistic

    Reads what its strategies need, and hidden labels that no view holds: it is no strategy, and no recipe takes it. No
    ranking of methods should list it. O(B·(cost of a strategy on the sub-pool) + epochs·B·(M + Q)·D·C).

    After BoSS, the best-of-strategies oracle of 2026, arXiv 2603.13109. Optimiser and its rate are ours.

    >>> BoSS(strategies=("random", "medoids")).needs
    (Need(name='embedding', ...), Need(name='embedding', over='labelled', ...), Need(name='labels', ...))
    """

    strategies: tuple[str, ...] = NAMES
    batches: int = 100
    size: int = 2500
    epochs: int = 50
    evaluate_on: Part = "validation"

    def __post_init__(self) -> None:
        if not self.strategies:
            raise InputError("BoSS needs at least one strategy", got=self.strategies)
        for name in ("batches", "size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of BoSS must be at least 1, got {getattr(self, name)}")
        if self.evaluate_on not in get_args(Part):
            raise UnknownName("part to evaluate on", self.evaluate_on, get_args(Part))

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the view must offer: all that the strategies read, and embeddings."""
        head = (HEAD,) if DOUBTED in self.strategies else ()
        inner = [need for part in self._parts().values() for need in part.needs]
        return tuple(dict.fromkeys((EMBEDDING, EMBEDDING.at("labelled"), LABELS, *head, *inner)))

    def hidden(self, project: Project, ids: Tensor) -> Hidden:
        """The true classes of candidates (N,) of a project on labelled data, and its part to evaluate on."""
        data = project.data
        part = torch.from_numpy(np.setdiff1d(getattr(data.split, self.evaluate_on), project.edits.removed))
        if data.labels is None or not len(part):
            raise UnmetNeeds(
                f"BoSS judges by the labels of the {self.evaluate_on} part, and {project.folder.path} has none: set "
                f"{self.evaluate_on}_size"
            )
        known = [project.edits.now(project.original.check(data.labels[one])) for one in torch.cat([ids, part]).tolist()]
        labels = project.task.encode(known)
        embedding = project.view(part, (EMBEDDING,))[EMBEDDING].float()
        return Hidden(labels[: len(ids)], embedding, labels[len(ids) :])

    def best(self, view: View, hidden: Hidden, n: int, rng: Generator, judge: Judge | None = None) -> Outcome:
        """The batch of n candidates with the least error on the evaluation set; of equal ones the first.

        judge  how a batch is judged, in place of a fresh last layer
        """
        if not 1 <= n <= len(view):
            raise PoolExhausted(n, len(view))
        if view.num_classes is None:
            raise UnmetNeeds("BoSS levels and judges classes, and these labels are numbers")
        parts, names, batches = self._parts(), [], []
        for _ in range(self.batches):
            names.append(self.strategies[int(torch.randint(len(self.strategies), (), generator=rng))])
            batches.append(self._batch(parts.get(names[-1]), names[-1], view, hidden, n, rng))
        rows = torch.stack(batches)
        errors = self._errors(view, hidden, rows, judge or partial(self._refitted, view.num_classes, rng))
        best = errors.tolist().index(float(errors.min()))
        return Outcome(view.ids[rows[best]], errors, tuple(names))

    def _parts(self) -> dict[str, Strategy]:
        return {name: parse("strategies", name) for name in self.strategies if name not in (MEDOIDS, DOUBTED)}

    def _batch(self, part: Strategy | None, name: str, view: View, hidden: Hidden, n: int, rng: Generator) -> Tensor:
        """(n,) rows that one strategy chooses from a sub-pool of its own."""
        rows = uniform(len(view), rng).argsort()[: max(self.size, n)].sort().values
        if part is not None:
            ids = part.select(view.narrow(rows, part.needs), n, rng).ids
            return torch.searchsorted(view.ids, ids)
        z = view[EMBEDDING]
        if name == DOUBTED:
            rows = _doubted(z, view[HEAD], rows, n, rng)
        counts = torch.as_tensor(view[LABELS], dtype=torch.int64).bincount(minlength=view.num_classes or 0)
        return rows[balanced_medoids(z[rows], hidden.truth[rows], counts, n)]

    def _errors(self, view: View, hidden: Hidden, rows: Tensor, judge: Judge) -> Tensor:
        known = torch.as_tensor(view[LABELS], dtype=torch.int64)
        z = torch.cat([view[EMBEDDING.at("labelled")], view[EMBEDDING]])
        y = torch.cat([known, hidden.truth])
        old = torch.arange(len(known)).expand(len(rows), -1)
        predicted = judge(z, y, torch.cat([old, rows + len(known)], 1), hidden.embedding)
        return (predicted != hidden.labels).double().mean(1)

    def _refitted(self, classes: int, rng: Generator, z: Tensor, y: Tensor, members: Tensor, new: Tensor) -> Tensor:
        weights = last_layers(z, y, members, classes, rng, epochs=self.epochs)
        return torch.stack([(new.float() @ own[:, :-1].t() + own[:, -1]).argmax(1) for own in weights])


def _doubted(z: Tensor, head: Callable[[Tensor], Tensor], rows: Tensor, n: int, rng: Generator) -> Tensor:
    """Those of the rows that DropQuery would choose from, with random others where they are fewer than n."""
    query = find("strategies", "dropquery")()
    flips = dropout_flips(z[rows], head, query.rate, query.draws, rng)
    chosen = query.candidates(flips, n)
    key = uniform(len(rows), rng).index_fill_(0, chosen, -1.0)
    return rows[key.argsort()[: max(n, len(chosen))].sort().values]
