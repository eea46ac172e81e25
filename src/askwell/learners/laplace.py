"""Draws of the last layer of any fitted network, without dropout and without training it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import EMBEDDING, HEAD, MC_PROBS, PROBS, Need, Over
from askwell.core.pool import Form, Pool
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.core.view import Sliced
from askwell.errors import BadData, InputError, UnknownName, UnmetNeeds
from askwell.functional.laplace import drawn_weights, full_precision, root_of_inverse, shared_precision
from askwell.learners.around import Around
from askwell.learners.collect import collect
from askwell.learners.members import TALLIED
from askwell.learners.net import Net
from askwell.learners.parts import gathered, own, prefixed, scattered
from askwell.learners.weights import read, write

__all__ = ["Laplace", "LaplaceLearner"]

Kind = Literal["gaussian", "categorical", "full"]
MOST_WEIGHTS = 4000
ELEMENTS = 1 << 22
ROWS = 4096
MODEL, POSTERIOR = "model", "laplace"


@dataclass(frozen=True)
class Laplace(Around):
    """Trains a learner as it is, then puts a Gaussian over the weights W of its last linear layer and draws from that.

    of      the learner; it must give `embedding`, `head` and `probs`: networks and linear heads do
    kind    what a labelled item with embedding z adds to the precision. One covariance for every class: "gaussian",
            z zᵀ, and "categorical", p(1 − p) z zᵀ with p its largest probability. All weights together: "full",
            (diag p − p pᵀ) ⊗ z zᵀ, for at most 4000 weights
    prior   λ of the precision λI before any label, above 0; the larger, the closer are the draws

    Draw k of `mc_probs` is softmax(W_k z) with weights W_k drawn once for all items, the bias among them. All else,
    `probs` included, is of the learner itself, whose own draws, such as those by dropout, give way to these. One class
    per item only. O(M·D² + D³) after the fit, with C·D for D where it is full; O(N·K·C·D) for K draws.

    MacKay 1992, doi:10.1162/neco.1992.4.3.448; Kristiadi, Hein and Hennig 2020, arXiv 2002.10118; Daxberger et al.
    2021, arXiv 2106.14806.

    >>> Laplace(prior=0.5).kind
    'gaussian'
    """

    of: Any = field(default_factory=Net)
    kind: Kind = "gaussian"
    prior: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UnknownName("kind of Laplace", self.kind, get_args(Kind))
        if not self.prior > 0:
            raise InputError(f"prior must be above 0, got {self.prior}", got=self.prior)
        super().__post_init__()

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> LaplaceLearner:
        """A learner that has not been fitted; refuses one without a last layer, and labels that are not one class."""
        if task.num_classes is None:
            raise UnmetNeeds(f"learner {self!r} is for one class per item, and task {task!r} has other labels")
        return LaplaceLearner(self, partial(self.of.build, form, task, scheme, device))


class LaplaceLearner(Learner):
    """A fitted learner, the weights (C, D + 1) of its last layer, and a root of their covariance."""

    def __init__(self, factory: Laplace, make: Callable[[], Learner]) -> None:
        self.factory, self.make, self.blank = factory, make, make()
        self.warm = self.blank.warm
        missing = sorted({EMBEDDING.name, HEAD.name, PROBS.name} - set(self.blank.provides))
        if missing:
            names = ", ".join(missing)
            raise UnmetNeeds(
                f"learner {factory!r} draws from a last layer, and the one inside gives no {names}", missing
            )
        self._fitted: Learner | None = None

    @property
    def provides(self) -> Set[str]:
        return {*self.blank.provides, MC_PROBS.name} - TALLIED

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        model = self.make()
        report = model.fit(pool, replace(job, previous=own(job.previous, MODEL)), seeds, progress)
        weight, root = self._around(model, pool, job, seeds)
        self._fitted, self.weight, self.root = model, weight, root
        return report

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        overs = dict.fromkeys(need.over for need in needs if need.name == MC_PROBS.name)
        plain = [need for need in needs if need.kind == "call" or need.over not in overs]
        found = self.model.compute(pool, plain, sets, seeds, out) if plain else {}
        for over in overs:
            wanted = [need for need in needs if need.kind == "rows" and need.over == over]
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            weights = self._drawn(max(int(need["draws"]) for need in wanted if need.name == MC_PROBS.name), seeds)
            size = max(2, min(ROWS, ELEMENTS // weights[..., 0].numel()))
            found |= collect(ids, size, partial(self._rows, pool, wanted, weights, seeds), out)
        return found

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        return self.model.predict(pool, ids)

    def state(self) -> dict[str, Tensor]:
        return {**prefixed({MODEL: self.model.state()}), **self._posterior()}

    def save(self, path: Path) -> str:
        return write(path, {**gathered({MODEL: self.model}, path.name), **self._posterior()})

    def load(self, path: Path) -> None:
        values, model = read(path), self.make()
        posterior = own(values, POSTERIOR)
        if posterior.keys() != {"weight", "root"}:
            raise BadData(f"{path} holds no model of {self.factory!r}", got=sorted(values))
        scattered(values, {MODEL: model}, path.name)
        self._fitted, self.weight, self.root = model, posterior["weight"], posterior["root"]

    @property
    def model(self) -> Learner:
        """The learner of the last fit."""
        if self._fitted is None:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._fitted

    def _posterior(self) -> dict[str, Tensor]:
        return prefixed({POSTERIOR: {"weight": self.weight, "root": self.root}})

    def _around(self, model: Learner, pool: Pool, job: Job, seeds: Seeds) -> tuple[Tensor, Tensor]:
        """Weights (C, D + 1) and root of their covariance, float64."""
        needs = [HEAD, EMBEDDING.at("labelled"), PROBS.at("labelled")]
        told = model.compute(pool, needs, {"labelled": job.labelled}, seeds)
        head, z, p = (told[need] for need in needs)
        rows = _extended(z)
        weight = _weights(head, rows)
        if job.weights is not None:
            rows = rows * job.weights.double()[:, None].sqrt()
        return weight, root_of_inverse(self._precision(rows, p.double()))

    def _precision(self, rows: Tensor, p: Tensor) -> Tensor:
        kind, prior = self.factory.kind, self.factory.prior
        if kind == "full":
            size = rows.shape[1] * p.shape[1]
            if size > MOST_WEIGHTS:
                raise UnmetNeeds(
                    f"kind 'full' takes at most {MOST_WEIGHTS} weights and the last layer has {size}: choose "
                    "'gaussian' or 'categorical'"
                )
            return full_precision(p, rows, prior)
        largest = p.amax(1, keepdim=True)
        curvature = torch.ones_like(largest) if kind == "gaussian" else largest * (1 - largest)
        return shared_precision(rows * curvature.clamp(min=0).sqrt(), prior)

    def _drawn(self, draws: int, seeds: Seeds) -> Tensor:
        """(K, C, D + 1) float32; draw k whatever the number of draws."""
        drawn = []
        for draw in range(draws):
            noise = torch.randn(self.weight.shape, generator=seeds.torch("laplace", draw), dtype=torch.float64)
            drawn.append(drawn_weights(self.weight, self.root, noise).float())
        return torch.stack(drawn)

    def _rows(
        self, pool: Pool, needs: Sequence[Need], weights: Tensor, seeds: Seeds, ids: Tensor
    ) -> dict[Need, Tensor]:
        """All needs of one set for some items, by one pass of the learner."""
        embedding = EMBEDDING.at(needs[0].over)
        others = [need for need in needs if need.name != MC_PROBS.name]
        told = self.model.compute(pool, list(dict.fromkeys([embedding, *others])), {embedding.over: ids}, seeds)
        rows = {need: value.dense() if isinstance(value, Sliced) else value for need, value in told.items()}
        outputs = _extended(rows[embedding]).float() @ weights.flatten(0, 1).t()
        probs = outputs.view(len(ids), *weights.shape[:2]).softmax(2)
        return {need: probs[:, : int(need["draws"])] if need.name == MC_PROBS.name else rows[need] for need in needs}


def _extended(z: Any) -> Tensor:
    """(n, D + 1) float64 embeddings that end in a 1."""
    rows = (z.dense() if isinstance(z, Sliced) else z).double()
    return torch.cat([rows, rows.new_ones(len(rows), 1)], 1)


def _weights(head: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """(C, D + 1) weights of a linear head, the bias last; refuses one that is not linear on the rows (n, D + 1)."""
    width = rows.shape[1] - 1
    bias = head(torch.zeros(1, width)).detach().double()
    weight = torch.cat([head(torch.eye(width)).detach().double() - bias, bias]).t().contiguous()
    wanted = head(rows[:, :-1].float()).detach().double()
    if not torch.allclose(rows @ weight.t(), wanted, rtol=1e-3, atol=1e-3 * (1 + float(wanted.abs().max()))):
        raise UnmetNeeds("the head of this model is no linear layer, whose weights could be drawn", [HEAD.name])
    return weight
