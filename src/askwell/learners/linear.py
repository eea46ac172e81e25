"""A linear head on the pool's fixed features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import EMBEDDING, HEAD, LOGITS, Need, Over
from askwell.core.pool import Form, Pool
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.spec import digest
from askwell.core.task import Task
from askwell.core.view import Sliced
from askwell.errors import BadData, InputError, UnmetNeeds
from askwell.learners.collect import collect
from askwell.learners.head import Head
from askwell.learners.weights import parted, read, together, write

__all__ = ["Linear", "LinearLearner"]

ROWS = 8192
COPIES = 16
MOST_ITERATIONS = 500


@dataclass(frozen=True)
class Linear:
    """A linear layer over `pool.features()`, fitted to convergence: logistic, or for numbers ridge regression.

    Minimises the sum of the task's losses + l2/2 · ‖W‖², biases free. Convex, so nothing depends on a seed. No network
    runs: scoring is one matrix product, and embeddings are the features, not a copy.

    classes  scikit-learn's LogisticRegression with C = 1 / l2
    labels   one such regression for each label by itself
    numbers  scikit-learn's Ridge with alpha = l2 / 2, on labels of mean 0 and deviation 1

    l2       strength of the penalty, above 0
    dropout  share of the features that each draw (`mc_probs` and its like) drops, in [0, 1); 0 offers no draws. The fit
             then minimises the mean over 16 dropped copies of the labelled rows

    A fit costs O(iterations · M·D·C), scoring O(N·D·C), K draws O(N·D·C·K).

    >>> Linear(l2=0.1)
    Linear(l2=0.1, dropout=0.0)
    """

    uses_scheme: ClassVar[bool] = False

    l2: float = 1.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.l2 > 0:
            raise InputError(f"l2 must be above 0, got {self.l2}", got=self.l2)
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, got {self.dropout}", got=self.dropout)

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> LinearLearner:
        """A learner that has not been fitted; items of any form will do, as long as the pool has features."""
        if scheme is not None:
            raise UnmetNeeds(f"learner {self!r} has its own way to fit and takes no scheme, got {scheme!r}")
        return LinearLearner(self, task, device)


class LinearLearner(Learner):
    """W (O, D) and b (O,) over fixed features."""

    def __init__(self, factory: Linear, task: Task, device: str) -> None:
        self.factory, self.task, self.device = factory, task, device
        self._fitted_task = task
        self._head: nn.Linear | None = None

    @property
    def provides(self) -> Set[str]:
        offered = {need.name for need in self.task.offers}
        drawn = {need.name for need in self.task.drawn} if self.factory.dropout else set()
        return {LOGITS.name, EMBEDDING.name, HEAD.name} | offered | drawn

    def fit(self, pool: Pool, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        rows = self._features(pool)[job.labelled].to(self.device, torch.float64)
        copies = self._dropped(rows, seeds)
        times = len(copies) // max(1, len(rows))
        targets = job.targets.to(self.device)
        weights = torch.ones(len(rows)) if job.weights is None else job.weights
        weights = weights.to(self.device, torch.float64) / times
        head, self._fitted_task = _layer(rows.shape[1], self.task.outputs, self.device), self.task.fitted(job.targets)
        steps = self._minimise(head, copies, _repeated(targets, times), _repeated(weights, times))
        self._head = head.float().requires_grad_(False)
        return FitReport(steps=steps, stopped="converged", rehearsal=digest(self.factory))

    def compute(
        self,
        pool: Pool,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        features = self._features(pool)
        found: dict[Need, Any] = {need: Head(self.head) for need in needs if need.kind == "call"}
        for over in dict.fromkeys(need.over for need in needs if need.kind == "rows"):
            ids = sets.get(over, torch.empty(0, dtype=torch.int64))
            wanted = [need for need in needs if need.kind == "rows" and need.over == over]
            found |= {need: Sliced(features, ids) for need in wanted if need.name == EMBEDDING.name}
            rest = [need for need in wanted if need not in found]
            if rest:
                found |= collect(ids, ROWS, self._rows(features, rest, seeds), out)
        return found

    def predict(self, pool: Pool, ids: Tensor) -> Tensor:
        features, need = self._features(pool), Need("predictions")
        return collect(ids, ROWS, lambda some: {need: self._fitted_task.predict(self._logits(features[some]))})[need]

    def state(self) -> dict[str, Tensor]:
        own = {f"head.{key}": value.cpu().clone() for key, value in self.head.state_dict().items()}
        return together(own, self._fitted_task)

    def save(self, path: Path) -> str:
        return write(path, self.state())

    def load(self, path: Path) -> None:
        values, task = parted(path, read(path), self.task)
        if set(values) != {"head.weight", "head.bias"} or len(values["head.bias"]) != self.task.outputs:
            raise BadData(f"{path} holds no linear head with {self.task.outputs} outputs", got=sorted(values))
        head = _layer(values["head.weight"].shape[1], self.task.outputs, self.device)
        head.load_state_dict({key.removeprefix("head."): value for key, value in values.items()})
        self._head, self._fitted_task = head.float().requires_grad_(False), task

    @property
    def head(self) -> nn.Linear:
        """The fitted layer."""
        if self._head is None:
            raise UnmetNeeds("this learner has not been fitted: call fit() or load()")
        return self._head

    def _minimise(self, head: nn.Linear, rows: Tensor, targets: Tensor, weights: Tensor) -> int:
        """Iterations of L-BFGS to convergence."""
        penalty = self.factory.l2 / 2 / (self.task.outputs if self.task.form == "labels" else 1)
        scale = weights.sum().clamp(min=1e-12)
        optimiser = torch.optim.LBFGS(
            head.parameters(), max_iter=MOST_ITERATIONS, tolerance_grad=1e-7, tolerance_change=1e-12,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure() -> Tensor:
            optimiser.zero_grad()
            losses = (self._fitted_task.loss(head(rows), targets) * weights).sum()
            value = (losses + penalty * head.weight.square().sum()) / scale
            value.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            return value

        optimiser.step(closure)  # type: ignore[no-untyped-call] # torch leaves it untyped
        return int(optimiser.state[head.weight]["n_iter"])

    def _rows(self, features: Tensor, needs: Sequence[Need], seeds: Seeds) -> Callable[[Tensor], dict[Need, Tensor]]:
        drawn = {need.name: method for need, method in self.task.drawn.items()}
        heads = {need: self._drawn(int(need["draws"]), seeds) for need in needs if need.name in drawn}

        def rows(ids: Tensor) -> dict[Need, Tensor]:
            z = features[ids].to(self.device)
            logits = self._logits(z)
            found = {need: self._offered(need, logits) for need in needs if need not in heads}
            return found | {need: self._draws(z, weights, drawn[need.name]) for need, weights in heads.items()}

        return rows

    def _offered(self, need: Need, logits: Tensor) -> Tensor:
        if need.name == LOGITS.name:
            return logits
        method = {offer.name: method for offer, method in self.task.offers.items()}[need.name]
        rows: Tensor = getattr(self._fitted_task, method)(logits)
        return rows

    def _logits(self, z: Tensor) -> Tensor:
        logits: Tensor = self.head(z.to(self.device))
        return logits

    def _draws(self, z: Tensor, weights: Tensor, method: str) -> Tensor:
        """(n, K, …) by one product with the weights of all draws (K, O, D)."""
        outputs = torch.einsum("nd,kcd->nkc", z, weights) + self.head.bias
        rows: Tensor = getattr(self._fitted_task, method)(outputs.flatten(0, 1))
        return rows.view(len(z), len(weights), -1)

    def _drawn(self, draws: int, seeds: Seeds) -> Tensor:
        """(K, C, D) weights without the features that each draw drops."""
        masks = torch.stack([self._mask(seeds.child("dropout", draw)) for draw in range(draws)])
        return self.head.weight * masks.unsqueeze(1).to(self.device)

    def _dropped(self, rows: Tensor, seeds: Seeds) -> Tensor:
        if not self.factory.dropout:
            return rows
        keep = torch.rand(COPIES * len(rows), rows.shape[1], generator=seeds.torch("dropout")) >= self.factory.dropout
        return _repeated(rows, COPIES) * keep.to(rows) / (1 - self.factory.dropout)

    def _mask(self, seeds: Seeds) -> Tensor:
        keep = torch.rand(self.head.in_features, generator=seeds.torch("mask")) >= self.factory.dropout
        return keep.float() / (1 - self.factory.dropout)

    def _features(self, pool: Pool) -> Tensor:
        features = pool.features()
        if features is None:
            raise UnmetNeeds(
                "a linear head reads fixed features and these items have none: give `features`", ["features"]
            )
        return torch.from_numpy(features)


def _repeated(rows: Tensor, times: int) -> Tensor:
    return rows.repeat(times, *[1] * (rows.ndim - 1)) if times > 1 else rows


def _layer(width: int, outputs: int, device: str) -> nn.Linear:
    """A linear layer of zeros in double precision; no generator moves."""
    layer: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.Linear, width, outputs, device=device, dtype=torch.float64
    )
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
