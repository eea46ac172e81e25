"""Fakes with hand-made numbers: a pool that notes how it is read, and a learner that gives the tensors it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor

from askwell.core.learner import Allocate, FitReport, Job, Learner, Progress
from askwell.core.needs import PROBS, Need, Over
from askwell.core.pool import Form, Mode
from askwell.core.seeds import Seeds
from askwell.errors import UnknownName

__all__ = ["FakeItems", "FakeLearner", "FakePool", "Reading", "form_of"]


@dataclass(frozen=True)
class Reading:
    """One batch that was read from a fake pool."""

    mode: Mode
    positions: tuple[int, ...]


class FakePool:
    """Items in memory; notes every batch that is read from it.

    rows    (N, D) float vectors, (N, channels, height, width) float images or (N, length) int64 tokens
    keys    the user's own ids; "0", "1", … unless given
    jitter  how much noise the mode "train" adds to floats, by the given generator

    >>> pool = FakePool(torch.eye(3), keys=["a", "b", "c"])
    >>> [batch.tolist() for _, batch in pool.items("eval").batches(torch.tensor([2]), 8)]
    [[[0.0, 0.0, 1.0]]]
    >>> pool.read
    [Reading(mode='eval', positions=(2,))]
    """

    def __init__(self, rows: Tensor, keys: Sequence[str] | None = None, jitter: float = 0.0) -> None:
        self.rows, self.jitter = rows, jitter
        self.form = form_of(rows)
        self.read: list[Reading] = []
        self._keys = [str(position) for position in range(len(rows))] if keys is None else list(keys)

    @property
    def digest(self) -> str:
        """Hex hash of the rows and keys."""
        return hashlib.sha256(self.rows.numpy().tobytes() + repr(self._keys).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The user's own ids."""
        return [self._keys[position] for position in positions]

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Where the user's ids are; an unknown one raises `UnknownName`."""
        for key in keys:
            if key not in self._keys:
                raise UnknownName("item", key, self._keys)
        return np.array([self._keys.index(key) for key in keys], dtype=np.int64)

    def item(self, position: int) -> NDArray[Any]:
        """One row."""
        return self.rows[position].numpy()

    def items(self, mode: Mode) -> FakeItems:
        """Rows as they are, or with jitter."""
        return FakeItems(self, mode)

    def features(self) -> NDArray[np.float32] | None:
        """(N, D) the flattened rows."""
        return self.rows.flatten(1).float().numpy()


@dataclass(frozen=True)
class FakeItems:
    """Batches of a fake pool in one mode."""

    pool: FakePool
    mode: Mode
    device: str = "cpu"

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Tensor]]:
        """Yields (place among `positions`, batch of at most `size` items)."""
        for start in range(0, len(positions), size):
            ids = positions[start : start + size].cpu()
            self.pool.read.append(Reading(self.mode, tuple(ids.tolist())))
            rows = self.pool.rows[ids]
            if self.mode == "train" and self.pool.jitter and rows.is_floating_point():
                rows = rows + self.pool.jitter * torch.randn(rows.shape, generator=rng)
            yield slice(start, start + len(ids)), rows.to(self.device)

    def to(self, device: str) -> FakeItems:
        """The same items, served on `device`."""
        return FakeItems(self.pool, self.mode, device)


def form_of(rows: Tensor) -> Form:
    """The form of these rows.

    >>> form_of(torch.tensor([[1, 2, 0]]))
    Form(kind='tokens', shape=(3,), vocab=3)
    """
    if not rows.is_floating_point():
        return Form("tokens", tuple(rows.shape[1:]), int(rows.max()) + 1)
    kinds = {2: "vector", 4: "image"}
    return Form(kinds.get(rows.ndim, "other"), tuple(rows.shape[1:]))  # type: ignore[arg-type] # one of the literals


class FakeLearner(Learner):
    """Learns nothing and gives the tensors that it was given, over the whole pool; notes the jobs of its fits.

    >>> learner = FakeLearner({PROBS: torch.tensor([[0.9, 0.1], [0.5, 0.5]])})
    >>> learner.compute(FakePool(torch.eye(2)), [PROBS], {"candidates": torch.tensor([1])}, Seeds(0))[PROBS]
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, values: Mapping[Need, Any]) -> None:
        """`values`: need over candidates -> (pool, …) tensor, or a function for needs of kind "call"."""
        self.values = dict(values)
        self.jobs: list[Job] = []

    @property
    def provides(self) -> Set[str]:
        return {need.name for need in self.values}

    def fit(self, pool: Any, job: Job, seeds: Seeds, progress: Progress | None = None) -> FitReport:
        self.jobs.append(job)
        return FitReport(stopped="fake")

    def compute(
        self,
        pool: Any,
        needs: Sequence[Need],
        sets: Mapping[Over, Tensor],
        seeds: Seeds,
        out: Allocate | None = None,
    ) -> dict[Need, Any]:
        return {need: self._value(need, sets.get(need.over)) for need in needs}

    def predict(self, pool: Any, ids: Tensor) -> Tensor:
        found: Tensor = self.values[PROBS][ids]
        return found

    def state(self) -> dict[str, Tensor]:
        return {need.name: value for need, value in self.values.items() if isinstance(value, Tensor)}

    def save(self, path: Path) -> str:
        save_file(self.state(), path)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def load(self, path: Path) -> None:
        found = load_file(path)
        self.values |= {need: found[need.name] for need in self.values if need.name in found}

    def _value(self, need: Need, ids: Tensor | None) -> Any:
        known = {str(one): value for one, value in self.values.items()}
        if str(need.at("candidates")) in known and need.kind == "rows" and ids is not None:
            return known[str(need.at("candidates"))][ids]
        if str(need) not in known:
            raise UnknownName("need", str(need), known)
        return known[str(need)]
