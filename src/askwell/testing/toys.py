"""Small labelled problems that any learner can solve: vectors, images and token lists of three kinds that lie apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from askwell.core.learner import Job
from askwell.core.registry import find
from askwell.core.task import Task
from askwell.errors import UnknownName
from askwell.testing.fakes import FakePool

__all__ = ["Toy", "toy"]

CLASSES = ("ash", "birch", "cedar")


@dataclass(frozen=True)
class Toy:
    """A pool with the truth about it. The first items are labelled, then come validation, test and unlabelled ones.

    truth  (P,) class indices, (P, C) of 0 and 1, or (P,) numbers, as the task has them; sizes: labelled, validation,
           test
    """

    pool: FakePool
    truth: Tensor
    task: Task
    sizes: tuple[int, int, int] = (36, 12, 24)

    @property
    def labelled(self) -> Tensor:
        """(M,) ids."""
        return torch.arange(self.sizes[0])

    @property
    def validation(self) -> Tensor:
        """(V,) ids."""
        return torch.arange(self.sizes[0], sum(self.sizes[:2]))

    @property
    def test(self) -> Tensor:
        """(T,) ids that no fit sees."""
        return torch.arange(sum(self.sizes[:2]), sum(self.sizes))

    @property
    def unlabelled(self) -> Tensor:
        """(N,) ids of the candidates."""
        return torch.arange(sum(self.sizes), len(self.pool))

    def targets(self, ids: Tensor) -> Tensor:
        """Encoded labels of these items."""
        return self.task.encode([self.task.check(label) for label in self.truth[ids].tolist()])

    def job(self, labelled: Tensor | None = None, **more: Any) -> Job:
        """A fit on these labelled items, or on the toy's own."""
        labelled = self.labelled if labelled is None else labelled
        return Job(
            labelled=labelled,
            targets=self.targets(labelled),
            unlabelled=self.unlabelled,
            validation=self.validation,
            validation_targets=self.targets(self.validation),
            **more,
        )

    def fresh(self, jitter: float = 0.0) -> Toy:
        """The same problem on a pool that nobody has read yet; `jitter` augments its training items."""
        return replace(self, pool=FakePool(self.pool.rows, jitter=jitter))

    def spoilt(self, ids: Tensor) -> Toy:
        """The same problem with other items and labels at these ids: what does not depend on them stays as it is."""
        rows, truth = self.pool.rows.clone(), self.truth.clone()
        rows[ids] = rows[ids].flip(1) if rows.ndim == 2 else rows[ids].flip(-2)
        truth[ids] = truth[ids[:1]]
        return replace(self, pool=FakePool(rows), truth=truth)


def toy(kind: str, size: int = 120, task: str = "classification") -> Toy:
    """The problem "vector", "image" or "tokens": `size` items of three sorts, item i of sort i mod 3.

    task  "classification": the sorts are ash, birch and cedar; "multi_label": they are ash, ash and birch, and neither;
          "regression": they are 10, 20 and 40

    >>> toy("image").pool.form
    Form(kind='image', shape=(1, 8, 8), vocab=0)
    >>> toy("vector", 6, "multi_label").truth.tolist()
    [[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]]
    """
    if kind not in KINDS:
        raise UnknownName("toy", kind, KINDS)
    if task not in TRUTHS:
        raise UnknownName("task of a toy", task, TRUTHS)
    sort = torch.arange(size) % len(CLASSES)
    rows = KINDS[kind](sort, torch.Generator().manual_seed(30))
    cls = find("tasks", task)
    return Toy(FakePool(rows), torch.tensor(TRUTHS[task])[sort], cls() if task == "regression" else cls(CLASSES))


def _vectors(truth: Tensor, rng: torch.Generator) -> Tensor:
    centres = 3 * torch.eye(len(CLASSES), 8)
    return centres[truth] + 0.4 * torch.randn(len(truth), 8, generator=rng)


def _images(truth: Tensor, rng: torch.Generator) -> Tensor:
    """A bright band at the top, in the middle or at the bottom."""
    rows = 0.2 * torch.rand(len(truth), 1, 8, 8, generator=rng)
    for item, index in enumerate(truth.tolist()):
        rows[item, 0, 3 * index : 3 * index + 2] += 0.7
    return rows


def _tokens(truth: Tensor, rng: torch.Generator) -> Tensor:
    """Six common words and six of the class, then padding."""
    common = torch.randint(1, 6, (len(truth), 6), generator=rng)
    own = 6 + 4 * truth[:, None] + torch.randint(0, 4, (len(truth), 6), generator=rng)
    return torch.cat([common, own, torch.zeros(len(truth), 2, dtype=torch.int64)], 1)


TRUTHS: dict[str, list[Any]] = {
    "classification": [0, 1, 2],
    "multi_label": [[1, 0, 0], [1, 1, 0], [0, 0, 0]],
    "regression": [10.0, 20.0, 40.0],
}
"""The label of each sort of items."""
KINDS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "vector": _vectors,
    "image": _images,
    "tokens": _tokens,
}
