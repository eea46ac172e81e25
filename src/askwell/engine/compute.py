"""Needs to tensors: the learner for what needs a model, the pool for fixed features, the store for tables."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from askwell.core.learner import Learner
from askwell.core.needs import Need, Over
from askwell.core.pool import Pool
from askwell.core.seeds import Seeds
from askwell.core.view import Sliced
from askwell.engine.stopwatch import Stopwatch
from askwell.errors import UnmetNeeds

__all__ = ["Source", "allocator"]

Table = Callable[[Mapping[Over, Tensor]], Any]


@dataclass(frozen=True)
class Source:
    """What a view fetches from: one pass of the learner for all needs that it lacks.

    tables  need -> function of the sets of ids
    """

    pool: Pool
    learner: Learner | None
    tables: Mapping[Need, Table]
    seeds: Seeds
    watch: Stopwatch
    folder: Path

    def __call__(self, needs: tuple[Need, ...], sets: Mapping[Over, Tensor]) -> Mapping[Need, Any]:
        with self.watch.part("score"):
            found: dict[Need, Any] = {need: self._table(need)(sets) for need in needs if need.kind == "table"}
            found |= {need: self._fixed(sets[need.over]) for need in needs if need.name == "features"}
            return found | self._model([need for need in needs if need not in found], sets)

    def _table(self, need: Need) -> Table:
        if need not in self.tables:
            raise UnmetNeeds(f"there is no {need}: there is {', '.join(map(str, self.tables))}", [str(need)])
        return self.tables[need]

    def _fixed(self, ids: Tensor) -> Sliced:
        features = self.pool.features()
        if features is None:
            raise UnmetNeeds("these items have no fixed features: give `features`", ["features"])
        return Sliced(torch.from_numpy(features), ids)

    def _model(self, needs: Sequence[Need], sets: Mapping[Over, Tensor]) -> dict[Need, Any]:
        if not needs:
            return {}
        if self.learner is None:
            names = [str(need) for need in needs]
            raise UnmetNeeds(f"no model has been trained yet, so there is no {', '.join(names)}", names)
        return self.learner.compute(self.pool, needs, sets, self.seeds, allocator(self.folder))


def allocator(folder: Path, limit: int = 4 << 30) -> Callable[[Need, tuple[int, ...], torch.dtype], Tensor]:
    """Rows in memory up to `limit` bytes, beyond it in a memory map under `folder` that vanishes with its tensor.

    >>> allocator(Path("."))(Need("probs"), (2, 3), torch.float32).shape
    torch.Size([2, 3])
    """

    def allocate(need: Need, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        size = prod(shape) * dtype.itemsize
        if size <= limit:
            return torch.empty(shape, dtype=dtype)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{need.name}-") as file:
            file.truncate(size)
            return torch.from_file(file.name, shared=True, size=prod(shape), dtype=dtype).view(shape)

    return allocate
